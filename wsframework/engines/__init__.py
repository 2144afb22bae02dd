"""Who trains the blocks of a zoo: this process, processes beside it, or a Ray cluster. The numbers are the same."""
