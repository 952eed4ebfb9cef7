using ConntrackStream.Pipeline.Files;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Makes an index beside each rotated file, which goes when its file goes.</summary>
internal interface IFileIndexer
{
    /// <summary>It is the name of an index, or of one that was not finished.</summary>
    bool IsIndex(string name);

    /// <summary>Name of a file's index.</summary>
    string IndexOf(string name);

    /// <summary>Makes the index of a file that has none, or not its own.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Not allowed.</exception>
    void Index(OwnedDirectory directory, string name, CancellationToken cancellation);
}
