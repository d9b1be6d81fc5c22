"""Takes people, places and organisations over from Wikidata's JSON dump."""
