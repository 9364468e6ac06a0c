"""`make bench`: speed as a ratio to a bare Django view that does the same with one SQL statement, in the same run."""
