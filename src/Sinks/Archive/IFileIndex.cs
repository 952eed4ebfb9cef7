namespace ConntrackStream.Sinks.Archive;

/// <summary>What is known about a file without reading it.</summary>
internal interface IFileIndex : IDisposable
{
    /// <summary>As <see cref="FileHead.Read"/> would read it.</summary>
    FileHead Head { get; }
}
