"""From components to groups: which have rows, which make one cluster, how well rows are told apart."""
