"""Rules and facts in trained networks: where they put their capacity."""
