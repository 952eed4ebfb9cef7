using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Where lines go. Used by one thread at a time.</summary>
internal interface ILogOutput : IAsyncDisposable
{
    /// <summary>For messages.</summary>
    string Name { get; }

    /// <summary>Writes lines, each ended by a line feed.</summary>
    /// <param name="cancellationToken">Ends the wait for a slow reader; then <paramref name="error"/> is EAGAIN.</param>
    /// <param name="error">Why not all was written.</param>
    /// <returns>How many bytes are out, all on success. The caller keeps the rest and offers it again, first.</returns>
    int Write(ReadOnlySpan<byte> lines, out Errno error, CancellationToken cancellationToken);

    /// <summary>Opens the path again where it no longer names the file that is written to.</summary>
    /// <returns>False: the file has been removed, and what was written to it since the last call is lost.</returns>
    bool Reopen();
}
