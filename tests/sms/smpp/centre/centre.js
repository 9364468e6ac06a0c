// An SMPP centre made of npm's `smpp`: takes messages, gives receipts, and misbehaves as a file says.
//
//     node centre.js PORT WITNESS BEHAVIOUR [KEY CERTIFICATE]
//
// WITNESS gets a line of JSON for everything that happens, written before it is answered. BEHAVIOUR is read anew at
// every request:
//     bind_status, on_bind: ["incoming", "enquire_link", "unknown", "unbind"]
//     status, statuses: [one for each of the next submit_sm], delay (ms), silent, cut_at: [numbers of submit_sm]
//     via: "data_sm" (receipts; the text in message_payload)
//     receipt: "after" | "before" | "none", state: "DELIVRD", err, form: "text" | "option" | "both", ids: "hex-dec"
'use strict';
const fs = require('fs');
const smpp = require(process.env.SMPP_MODULES + '/smpp');

const [port, witness, behaviourFile, key, certificate] = process.argv.slice(2);
const log = fs.openSync(witness, 'a');
const tell = (event, more) => fs.writeSync(log, JSON.stringify({ event, at: Date.now(), ...more }) + '\n');
const behaviour = () => {
  try { return JSON.parse(fs.readFileSync(behaviourFile)); } catch { return {}; }
};

const STATES = { ENROUTE: 1, DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, ACCEPTD: 6, UNKNOWN: 7, REJECTD: 8 };
let sessions = 0, submits = 0, lastId = 0xa0f0;
const statusesUsed = { file: null, at: 0 };
let receipts = [];        // not answered yet: said again to the next who binds

const nextStatus = (wanted) => {
  if (!wanted.statuses) return wanted.status || 0;
  const name = JSON.stringify(wanted.statuses);
  if (statusesUsed.file !== name) Object.assign(statusesUsed, { file: name, at: 0 });
  return statusesUsed.at < wanted.statuses.length ? wanted.statuses[statusesUsed.at++] : wanted.status || 0;
};

const sendReceipt = (session, number, receipt) => {
  const wanted = behaviour(), form = wanted.form || 'text';
  const pdu = { esm_class: 4, source_addr: receipt.to, destination_addr: 'HOTLINE' };
  if (form !== 'option') {
    pdu.short_message = `id:${receipt.written} sub:001 dlvrd:001 submit date:2611250300 done date:2611250301 ` +
      `stat:${receipt.state} err:${wanted.err || '000'} text:id:1 stat:UNDELIV`;
  }
  if (form !== 'text') Object.assign(pdu, { receipted_message_id: receipt.id, message_state: STATES[receipt.state] });
  tell('receipt', { session: number, id: receipt.id });
  if (wanted.via === 'data_sm' && pdu.short_message) {
    pdu.message_payload = Buffer.from(pdu.short_message);
    delete pdu.short_message;
  }
  session[wanted.via || 'deliver_sm'](pdu, (answer) => {
    tell('receipt_answered', { session: number, id: receipt.id, command: answer.command,
      status: answer.command_status });
    if (answer.command_status === 0) receipts = receipts.filter((each) => each !== receipt);
  });
};

const ON_BIND = {
  incoming: (session, number) => session.deliver_sm(
    { source_addr: '79160000101', destination_addr: 'HOTLINE', short_message: 'STOP, my name is Anna' },
    (answer) => tell('incoming_answered', { session: number, status: answer.command_status })),
  enquire_link: (session, number) => session.enquire_link({}, (answer) =>
    tell('enquire_link_answered', { session: number, status: answer.command_status })),
  unknown: (session, number) => session.query_sm({ message_id: '1' }, (answer) =>
    tell('unknown_answered', { session: number, command: answer.command, status: answer.command_status })),
  unbind: (session, number) => setTimeout(() => session.unbind({}, () =>
    tell('unbind_answered', { session: number })), 500),
};

const options = key ? { key: fs.readFileSync(key), cert: fs.readFileSync(certificate) } : {};
const server = smpp.createServer(options, (session) => {
  const number = ++sessions;
  let bound = false;
  session.on('error', (error) => tell('error', { session: number, words: String(error) }));
  session.on('close', () => { bound = false; tell('close', { session: number }); });
  session.on('bind_transceiver', (pdu) => {
    const status = behaviour().bind_status || 0;
    tell('bind', { session: number, status, system_id: pdu.system_id, password: pdu.password,
      system_type: pdu.system_type, version: pdu.interface_version });
    session.send(pdu.response({ command_status: status, system_id: 'centre' }));
    if (status) return;
    bound = true;
    receipts.forEach((receipt) => sendReceipt(session, number, receipt));
    (behaviour().on_bind || []).forEach((what) => ON_BIND[what](session, number));
  });
  session.on('unbind', (pdu) => { tell('unbind', { session: number }); session.send(pdu.response()); session.close(); });
  session.on('enquire_link', (pdu) => {
    tell('enquire_link', { session: number });
    if (!behaviour().deaf) session.send(pdu.response());
  });
  session.on('submit_sm', (pdu) => {
    const wanted = behaviour(), status = nextStatus(wanted), id = ++lastId;
    const hex = id.toString(16).toUpperCase().padStart(8, '0');
    submits += 1;
    tell('submit', {
      number: submits, session: number, status, id: hex, to: pdu.destination_addr, from: pdu.source_addr,
      ton: [pdu.source_addr_ton, pdu.dest_addr_ton], npi: [pdu.source_addr_npi, pdu.dest_addr_npi],
      coding: pdu.data_coding, esm_class: pdu.esm_class, registered: pdu.registered_delivery,
      header: (pdu.short_message.udh || []).map((each) => each.toString('hex')), text: pdu.short_message.message,
    });
    if ((wanted.cut_at || []).includes(submits)) return session.destroy();
    const receipt = { id: hex, written: wanted.ids === 'hex-dec' ? String(id) : hex, to: pdu.destination_addr,
      state: wanted.state || 'DELIVRD' };
    const answer = () => { if (bound && !wanted.silent) session.send(pdu.response({ command_status: status, message_id: hex })); };
    const report = () => { receipts.push(receipt); if (bound) sendReceipt(session, number, receipt); };
    if (status || (wanted.receipt || 'after') === 'none') return setTimeout(answer, wanted.delay || 0);
    if (wanted.receipt === 'before') { report(); return setTimeout(answer, 300 + (wanted.delay || 0)); }
    return setTimeout(() => { answer(); report(); }, wanted.delay || 0);
  });
});
server.listen(Number(port), '127.0.0.1', () => tell('listening', {}));
