namespace ConntrackStream.Sinks.Fleet.Collect;

/// <summary>A message that was read, with its buffer until it is acknowledged or returned.</summary>
internal abstract class CollectedMessage(string host, MessageIdentity identity) : IDisposable
{
    internal string Host => host;

    internal MessageIdentity Identity => identity;

    /// <summary>The number of lines.</summary>
    internal long Records { get; } = identity.IsLoss ? 1 : (long)(identity.Last - identity.First + 1);

    internal abstract ReadOnlyMemory<byte> Lines { get; }

    /// <summary>It need not be delivered again. The buffer is given back.</summary>
    internal abstract ValueTask AcknowledgeAsync(CancellationToken cancellation);

    /// <summary>It is to be delivered again. The buffer is given back.</summary>
    internal abstract ValueTask ReturnAsync(TimeSpan after, CancellationToken cancellation);

    /// <summary>Gives the buffer back.</summary>
    public abstract void Dispose();

    /// <summary>Is this the message of a node?</summary>
    /// <param name="host">As the message names it; null where it does not.</param>
    /// <param name="sequence">Its header; null where it has none.</param>
    /// <returns>What is wrong with it; null when nothing is.</returns>
    internal static string? Judge(string? host, string? sequence, ReadOnlySpan<byte> lines, out MessageIdentity identity)
    {
        identity = default;
        if (host is null || HostLog.FileNameOf(host) is null)
            return "it names no host";
        if (sequence is null || !MessageIdentity.TryParse(sequence, out identity))
            return $"it has no header {MessageIdentity.Header}";
        long records = identity.IsLoss ? 1 : (long)(identity.Last - identity.First + 1);
        bool hasAll = lines.Length > 0 && lines[^1] == '\n' && lines.Count((byte)'\n') == records;
        return hasAll ? null : "it has not as many lines as its header says";
    }
}
