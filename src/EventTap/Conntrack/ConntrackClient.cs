using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>
/// Requests to the conntrack table of one network namespace: dump, get, delete, create, update, statistics. One socket, one request at a
/// time: not thread-safe. All of it, reading too, needs CAP_NET_ADMIN in the user namespace that owns the network namespace (EPERM).
/// Failures are a <see cref="NetlinkException"/> that names the operation, the tuple, the errno and the kernel's own words.
/// </summary>
public sealed partial class ConntrackClient : IDisposable
{
    private const int ReceiveBufferLength = 32 * 1024; // the kernel fills no larger one in a dump
    private const int RequestBufferLength = 16 * 1024;
    private const int NLM_F_ACK = Nlmsg.NLM_F_ACK;

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private readonly NetlinkSocket _socket;
    private readonly TimeProvider _time;
    private readonly byte[] _request = new byte[RequestBufferLength];
    private readonly byte[] _answer = new byte[ReceiveBufferLength];
    private uint _sequence;

    /// <summary>A client in the network namespace of the calling thread; it stays there whichever thread uses it later.</summary>
    public ConntrackClient()
        : this(new NetlinkSocket(NetlinkSocket.NETLINK_NETFILTER))
    {
    }

    /// <summary>Over a NETLINK_NETFILTER socket, which it then owns.</summary>
    internal ConntrackClient(NetlinkSocket socket, TimeProvider? time = null)
    {
        _socket = socket;
        _time = time ?? TimeProvider.System;
        socket.SetOption(NetlinkOption.NETLINK_EXT_ACK, 1);
        socket.SetReceiveTimeout(AnswerTimeout);
    }

    /// <summary>Whether the client's network namespace has an interface of this index; null when the kernel does not say.</summary>
    public bool? HasInterface(uint index) => _socket.HasInterface(index);

    /// <summary>Closes the socket; an answer that has not been read is lost.</summary>
    public void Dispose() => _socket.Dispose();

    private static ushort MessageType(byte message) => Nfnl.MessageType(Nfnl.NFNL_SUBSYS_CTNETLINK, message);

    /// <summary>A request without attributes about no entry in particular.</summary>
    private uint SendPlain(string operation, byte message, int flags, FlowFamily family = FlowFamily.Unspecified)
    {
        RequestWriter request = new(_request);
        request.BeginNetfilter(MessageType(message), flags, ++_sequence, (byte)family);
        request.EndMessage();
        Send(operation, request.Written);
        return _sequence;
    }

    private void Send(string operation, ReadOnlySpan<byte> request)
    {
        Errno errno = _socket.Send(request);
        if (errno != Errno.None)
            throw new NetlinkException(operation, errno);
    }

    /// <summary>Sends a request with NLM_F_ACK and waits for its acknowledgement.</summary>
    private ErrorMessage Acknowledge(string operation, ReadOnlySpan<byte> request)
    {
        Send(operation, request);
        NetlinkAnswers answers = AnswersFrom(_sequence);
        while (true)
        {
            Next(ref answers, operation);
            if (answers.TryReadError(out ErrorMessage error))
                return error;
        }
    }

    /// <summary>The answers to <paramref name="count"/> requests that have been sent.</summary>
    private NetlinkAnswers AnswersFrom(uint first, int count = 1) => new(_socket, _answer, first, (uint)count, _time);

    /// <summary>Waits for the next message.</summary>
    /// <exception cref="NetlinkException">Receiving failed, or nothing came in time (EAGAIN).</exception>
    private static void Next(ref NetlinkAnswers answers, string operation)
    {
        Errno errno = answers.Next();
        if (errno != Errno.None)
            throw new NetlinkException(operation, errno);
    }

    private static void ThrowIfFailed(in ErrorMessage error, string operation)
    {
        if (error.Errno != Errno.None)
            throw new NetlinkException(operation, error.Errno, error.Text);
    }
}
