using System.Net.Sockets;
using ConntrackStream.Sinks.Streams;

namespace ConntrackStream.Sinks.Ipfix.Transport;

/// <summary>IPFIX over TCP or TLS.</summary>
internal sealed class StreamConnection : CollectorConnection
{
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly OneWayStream _oneWay;
    private readonly TimeSpan _timeout;
    private readonly Task _watching;

    /// <param name="socket">Connected; owned by this.</param>
    /// <param name="stream">Over it; owned by this.</param>
    /// <param name="timeout">How long the peer may take nothing; also for the farewell.</param>
    internal StreamConnection(Socket socket, Stream stream, TimeSpan timeout)
    {
        (_socket, _stream, _timeout) = (socket, stream, timeout);
        _oneWay = new OneWayStream(socket, stream);
        _watching = WatchAsync();
    }

    internal override bool IsDatagram => false;

    public override async ValueTask DisposeAsync()
    {
        try
        {
            if (!Ended.IsCompleted)
                await _oneWay.EndAsync().WaitAsync(_timeout).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException || OneWayStream.IsFault(e))
        {
            // It is closed without.
        }

        _socket.Dispose();
        await _watching.ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>One by one: of a longer piece that fails, it would be unknown which have gone out.</summary>
    protected override void Send(ReadOnlySpan<byte> messages, ReadOnlySpan<int> lengths, ref int sent)
    {
        foreach (int length in lengths)
        {
            _stream.Write(messages[..length]);
            messages = messages[length..];
            sent++;
        }
    }

    private async Task WatchAsync() =>
        End(await _oneWay.Ended.ConfigureAwait(false) is { } fault ? Describe(fault) : "it closed the connection");
}
