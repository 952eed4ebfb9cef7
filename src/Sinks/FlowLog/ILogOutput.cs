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

    /// <summary>
    /// Opens the path again where it no longer names the file that is written to; notices a connection that broke.
    /// </summary>
    /// <returns>False: the file has been removed, and what was written to it since the last call is lost; or it may be.</returns>
    bool Reopen();

    /// <summary>
    /// A second after a write it is asked by <see cref="Reopen"/> what became of it, and what could not be written is tried again.
    /// </summary>
    bool IsWatched => false;

    /// <summary>False: what was written is still on its way; <see cref="Reopen"/> would not know yet.</summary>
    bool IsSettled => true;

    /// <summary><see cref="Reopen"/> has a loss to report and is asked at once.</summary>
    bool HasFailed => false;

    /// <summary>
    /// After <see cref="Reopen"/> returned false: since when what was written is lost, ns since the Unix epoch; 0: since the call before.
    /// </summary>
    long LostFrom => 0;

    /// <summary>Logs how much is lost, after <see cref="Reopen"/> returned false.</summary>
    void ReportLost(long records)
    {
    }
}
