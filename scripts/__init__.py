"""Commands that people run, one file each; the folders hold their parts."""
