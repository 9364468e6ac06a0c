"""SMPP 3.4 as a transceiver (docs/smpp.md): a connection of its own, held by the process of `manage.py smpp`.

pdus       octets ↔ PDUs: the dozen that a transceiver meets
encoding   a part of a message → the body of its submit_sm
answers    what statuses and receipts mean for a part: tables
session    one bound connection: the wire, and no database
handover   parts over one session: claim, write, wait for the answer
process    the long-running process: binds again and again, settles, keeps receipts
"""
