"""A stand-in for a language model: an Azure OpenAI resource with one deployment."""
