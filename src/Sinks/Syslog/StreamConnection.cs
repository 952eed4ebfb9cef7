using System.Globalization;
using System.Net.Sockets;
using ConntrackStream.Sinks.Streams;

namespace ConntrackStream.Sinks.Syslog;

/// <summary>Messages in a stream, each with its length before it (octet counting; RFC 6587, 3.4.1 and RFC 5425, 4.3).</summary>
internal sealed class StreamConnection : SyslogConnection
{
    private const int MaxPrefix = 6; // "65507 "

    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(5); // with a server that does not close its side

    private readonly Stream _stream;
    private readonly OneWayStream _oneWay;
    private byte[] _frames = new byte[96 * 1024];

    internal StreamConnection(Socket socket, Stream stream)
        : base(socket)
    {
        _stream = stream;
        _oneWay = new OneWayStream(socket, stream);
    }

    internal override bool HasEnded => _oneWay.Ended.IsCompleted;

    /// <summary>
    /// A server that closes while it has something unread resets the connection; so does its kernel for what comes later. After an end in
    /// order, with nothing left on the way, the server has read everything.
    /// </summary>
    internal override bool EndedInOrder => _oneWay.Ended is { IsCompletedSuccessfully: true, Result: null } && IsSettled;

    internal override void Send(ReadOnlySpan<byte> lines, ref int done, CancellationToken limit)
    {
        int length = Frame(lines);
        _stream.WriteAsync(_frames.AsMemory(0, length), limit).AsTask().GetAwaiter().GetResult();
        done = lines.Length;
    }

    public override void Dispose()
    {
        _stream.Dispose();
        base.Dispose();
    }

    /// <summary>The server reads everything and closes first, if it does so in time.</summary>
    internal void End(CancellationToken limit)
    {
        if (HasEnded)
            return;
        try
        {
            _oneWay.EndAsync().WaitAsync(ClosePatience, limit).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is TimeoutException || OneWayStream.IsFault(e))
        {
            // it ends without
        }
    }

    private int Frame(ReadOnlySpan<byte> lines)
    {
        int room = lines.Length + (MaxPrefix * lines.Count((byte)'\n'));
        if (_frames.Length < room)
            _frames = new byte[room];
        int at = 0;
        while (!lines.IsEmpty)
        {
            int length = lines.IndexOf((byte)'\n');
            length.TryFormat(_frames.AsSpan(at), out int digits, default, CultureInfo.InvariantCulture);
            at += digits;
            _frames[at++] = (byte)' ';
            lines[..length].CopyTo(_frames.AsSpan(at));
            at += length;
            lines = lines[(length + 1)..];
        }

        return at;
    }
}
