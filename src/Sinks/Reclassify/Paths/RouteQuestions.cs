using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.Sinks.Netlink.Rtnetlink;

namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>
/// Questions about the routes, links and addresses of one network namespace, over one NETLINK_ROUTE socket. It changes nothing and needs no
/// privilege. From any thread, one question at a time. A failure is a <see cref="NetlinkException"/> that names the question.
/// </summary>
public sealed partial class RouteQuestions : IDisposable
{
    private const int RequestBufferLength = 256;

    private readonly NetlinkSocket _socket;
    private readonly Lock _asking = new();
    private readonly byte[] _request = new byte[RequestBufferLength];
    private readonly byte[] _answer = new byte[KernelRequest.BufferLength];
    private uint _sequence;

    /// <summary>In the network namespace of the calling thread, where it stays: see <see cref="NetworkNamespace.Run{T}"/>.</summary>
    /// <exception cref="NetlinkException">The socket cannot be opened; EINVAL, ENOPROTOOPT: a kernel older than 4.20.</exception>
    public RouteQuestions()
    {
        _socket = new NetlinkSocket(NetlinkSocket.NETLINK_ROUTE);
        try
        {
            _socket.SetOption(NetlinkOption.NETLINK_EXT_ACK, 1);
            _socket.SetOption(NetlinkOption.NETLINK_GET_STRICT_CHK, 1); // dumps of one interface
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    public void Dispose() => _socket.Dispose();

    private RequestWriter Begin(ushort type, int flags = Nlmsg.NLM_F_ACK)
    {
        RequestWriter request = new(_request);
        request.BeginMessage(type, flags, ++_sequence);
        return request;
    }

    /// <summary>Asks for one object.</summary>
    private ErrorMessage Ask(ref RequestWriter request, AnswerReader onAnswer)
    {
        request.EndMessage();
        return KernelRequest.Exchange(_socket, request.Written, onAnswer, _answer);
    }

    /// <summary>Asks for all objects. The kernel goes on with a dump within each receive, so that reading never has to block.</summary>
    private void Dump(ref RequestWriter request, string operation, AnswerReader onObject)
    {
        Errno? end = null;
        ErrorMessage outcome = Ask(ref request, message =>
        {
            if (!MessageHeader.TryRead(message, out MessageHeader header))
                return;
            if (header.Type != Nlmsg.NLMSG_DONE)
                onObject(message);
            else if (ErrorMessage.TryRead(header, message[Nlmsg.HeaderLength..], out ErrorMessage done))
                end = done.Errno;
        });
        Errno errno = end ?? outcome.Errno;
        if (errno != Errno.None)
            throw new NetlinkException(operation, errno, outcome.Text);
    }

    private static uint HostU32(ReadOnlySpan<byte> value) =>
        value.Length == sizeof(uint) ? BinaryPrimitives.ReadUInt32LittleEndian(value) : 0;

    private static void PutHostU32(ref RequestWriter request, ushort type, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(request.Put(type, sizeof(uint)), value);

    private static void PutAddress(ref RequestWriter request, ushort type, IpAddress address, FlowFamily family) =>
        address.WriteTo(request.Put(type, LengthOf(family)), family);

    private static int LengthOf(FlowFamily family) => family == FlowFamily.IPv4 ? 4 : 16;

    private static IpAddress AddressFrom(ReadOnlySpan<byte> bytes, FlowFamily family) =>
        family == FlowFamily.IPv4 ? IpAddress.FromIPv4(bytes) : IpAddress.FromIPv6(bytes);
}
