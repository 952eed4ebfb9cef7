namespace ConntrackStream.Service.Api;

/// <summary>Nothing answers on the socket.</summary>
internal sealed class NoServiceException(string message, Exception inner) : IOException(message, inner);
