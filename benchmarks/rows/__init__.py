"""One file per row of the table: ``cases(quick=...)`` yields each case when it is measured."""
