"""The page of a choice among mixtures: picture, tables, words; and the command that writes it."""
