namespace ConntrackStream.Sinks.Archive;

/// <summary>A file of the archive is not whole, or not what its beginning promises. The message completes the sentence "FILE …".</summary>
public sealed class ArchiveDamageException : Exception
{
    public ArchiveDamageException(string message)
        : base(message)
    {
    }

    public ArchiveDamageException(string message, Exception cause)
        : base(message, cause)
    {
    }

    public ArchiveDamageException()
    {
    }
}
