using System.Buffers;
using NATS.Client.Core;
using NATS.Client.JetStream;

namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>A message of the stream, with its buffer until it is acknowledged or returned.</summary>
internal sealed class CollectedMessage : IDisposable
{
    private readonly INatsJSMsg<NatsMemoryOwner<byte>> _message;
    private NatsMemoryOwner<byte> _data;

    private CollectedMessage(INatsJSMsg<NatsMemoryOwner<byte>> message, string host, MessageIdentity identity)
    {
        (_message, _data) = (message, message.Data);
        (Host, Identity) = (host, identity);
        Records = identity.IsLoss ? 1 : (long)(identity.Last - identity.First + 1);
    }

    internal string Host { get; }

    internal MessageIdentity Identity { get; }

    /// <summary>The number of lines.</summary>
    internal long Records { get; }

    internal ReadOnlyMemory<byte> Lines => _data.Memory;

    /// <returns>Null: no node has sent this, and <paramref name="problem"/> says why.</returns>
    internal static CollectedMessage? TryRead(INatsJSMsg<NatsMemoryOwner<byte>> message, out string problem)
    {
        problem = "";
        if (HostSubject.HostOf(message.Subject) is not { } host || HostLog.FileNameOf(host) is null)
            problem = "its subject ends in no host";
        else if (message.Headers?.TryGetLastValue(MessageIdentity.Header, out string? text) is not true
            || !MessageIdentity.TryParse(text!, out MessageIdentity identity))
            problem = $"it has no header {MessageIdentity.Header}";
        else if (new CollectedMessage(message, host, identity) is var read && read.HasAllLines())
            return read;
        else
            problem = "it has not as many lines as its header says";
        message.Data.Dispose();
        return null;
    }

    /// <summary>The stream need not deliver it again. The buffer is given back.</summary>
    internal async ValueTask AcknowledgeAsync(CancellationToken cancellation)
    {
        Dispose();
        await _message.AckAsync(cancellationToken: cancellation).ConfigureAwait(false);
    }

    /// <summary>The stream is to deliver it again; where the connection has gone, it does so by itself. The buffer is given back.</summary>
    internal async ValueTask ReturnAsync(TimeSpan after, CancellationToken cancellation)
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

    public void Dispose()
    {
        _data.Dispose();
        _data = NatsMemoryOwner<byte>.Empty;
    }

    private bool HasAllLines() => Lines.Length > 0 && Lines.Span[^1] == '\n' && Lines.Span.Count((byte)'\n') == Records;
}
