"""The resources of the API, by noun (contracts/rest.md): a path, its methods, JSON in and out."""
