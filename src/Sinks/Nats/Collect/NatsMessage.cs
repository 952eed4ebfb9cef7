using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;
using NATS.Client.Core;
using NATS.Client.JetStream;

namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>A message of the stream.</summary>
internal sealed class NatsMessage : CollectedMessage
{
    private readonly INatsJSMsg<NatsMemoryOwner<byte>> _message;
    private NatsMemoryOwner<byte> _data;

    private NatsMessage(INatsJSMsg<NatsMemoryOwner<byte>> message, string host, MessageIdentity identity)
        : base(host, identity) => (_message, _data) = (message, message.Data);

    internal override ReadOnlyMemory<byte> Lines => _data.Memory;

    /// <returns>Null: no node has sent this, and <paramref name="problem"/> says why.</returns>
    internal static NatsMessage? TryRead(INatsJSMsg<NatsMemoryOwner<byte>> message, out string problem)
    {
        string? host = HostSubject.HostOf(message.Subject);
        string? sequence = message.Headers?.TryGetLastValue(MessageIdentity.Header, out string? text) is true ? text : null;
        problem = Judge(host, sequence, message.Data.Memory.Span, out MessageIdentity identity) ?? "";
        if (problem.Length == 0)
            return new NatsMessage(message, host!, identity);
        message.Data.Dispose();
        return null;
    }

    /// <summary>The stream need not deliver it again. The buffer is given back.</summary>
    internal override async ValueTask AcknowledgeAsync(CancellationToken cancellation)
    {
        Dispose();
        await _message.AckAsync(cancellationToken: cancellation).ConfigureAwait(false);
    }

    /// <summary>The stream is to deliver it again; where the connection has gone, it does so by itself. The buffer is given back.</summary>
    internal override async ValueTask ReturnAsync(TimeSpan after, CancellationToken cancellation)
    {
        Dispose();
        try
        {
            await _message.NakAsync(new AckOpts { NakDelay = after }, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (NatsLink.IsFailure(e) || e is OperationCanceledException or ObjectDisposedException)
        {
            // It comes again when the time for its acknowledgement is over.
        }
    }

    public override void Dispose()
    {
        _data.Dispose();
        _data = NatsMemoryOwner<byte>.Empty;
    }
}
