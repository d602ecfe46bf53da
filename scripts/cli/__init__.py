"""The look and manners that all commands share."""
