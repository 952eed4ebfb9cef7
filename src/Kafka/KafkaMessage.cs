using System.Text;
using Confluent.Kafka;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;

namespace ConntrackStream.Kafka;

/// <summary>A message of the topic.</summary>
internal sealed class KafkaMessage : CollectedMessage
{
    private readonly PartitionProgress _progress;
    private readonly long _offset;
    private readonly byte[] _lines;

    private KafkaMessage(string host, MessageIdentity identity, byte[] lines, PartitionProgress progress, long offset)
        : base(host, identity) => (_lines, _progress, _offset) = (lines, progress, offset);

    internal override ReadOnlyMemory<byte> Lines => _lines;

    /// <returns>Null: no node has sent this, and <paramref name="problem"/> says why.</returns>
    internal static KafkaMessage? TryRead(ConsumeResult<byte[], byte[]> read, PartitionProgress progress, out string problem)
    {
        string? host = read.Message.Key is { Length: > 0 } key ? Encoding.UTF8.GetString(key) : null;
        string? sequence = read.Message.Headers?.TryGetLastBytes(MessageIdentity.Header, out byte[] header) is true
            ? Encoding.ASCII.GetString(header)
            : null;
        byte[] lines = read.Message.Value ?? [];
        problem = Judge(host, sequence, lines, out MessageIdentity identity) ?? "";
        return problem.Length == 0 ? new KafkaMessage(host!, identity, lines, progress, read.Offset.Value) : null;
    }

    internal override ValueTask AcknowledgeAsync(CancellationToken cancellation)
    {
        _progress.Done(_offset);
        return ValueTask.CompletedTask;
    }

    /// <summary>It is read again within a second, whatever is asked for.</summary>
    internal override ValueTask ReturnAsync(TimeSpan after, CancellationToken cancellation)
    {
        _progress.Return(_offset);
        return ValueTask.CompletedTask;
    }

    public override void Dispose()
    {
        // The lines are the collector's garbage.
    }
}
