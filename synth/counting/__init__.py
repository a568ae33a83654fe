"""In how many documents of a corpus the subject of a fact stands, its object, and both."""
