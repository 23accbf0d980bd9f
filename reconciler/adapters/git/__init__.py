"""Git: bare mirrors of remote repositories read as trees, and a plain folder read in the same way."""
