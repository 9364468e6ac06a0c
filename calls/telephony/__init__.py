"""What exchanges say, folded into one normalised event. Adapters know the exchange, `calls.actions` knows the call."""
