"""Workers, broker and database are killed while messages are under way: in the suite, and larger in `make bench`."""
