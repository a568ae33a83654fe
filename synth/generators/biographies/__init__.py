"""The biographies of bioS: people, their attributes, sentences and tokens."""
