using System.Buffers.Binary;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.Sinks.Netlink.Rtnetlink;

namespace ConntrackStream.Service.Network;

/// <summary>
/// Neighbours (ARP, NDP) and interfaces of one network namespace over NETLINK_ROUTE. Not thread-safe. A failure is a <see
/// cref="NetlinkException"/> that names the object.
/// </summary>
internal sealed class NeighbourTable : IDisposable
{
    private const int RequestBufferLength = 128;

    private readonly NetlinkSocket _socket;
    private readonly byte[] _request = new byte[RequestBufferLength];
    private readonly byte[] _answer = new byte[KernelRequest.BufferLength];
    private uint _sequence;

    internal NeighbourTable(NetworkNamespace networkNamespace)
    {
        _socket = networkNamespace.Run(static () => new NetlinkSocket(NetlinkSocket.NETLINK_ROUTE));
        _socket.SetOption(NetlinkOption.NETLINK_EXT_ACK, 1);
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>All neighbours of a family that have an entry, by interface and address.</summary>
    internal Dictionary<(int Interface, IpAddress Address), NeighbourState> Read(FlowFamily family)
    {
        Dictionary<(int, IpAddress), NeighbourState> neighbours = [];
        RequestWriter request = new(_request);
        request.BeginMessage(RTM_GETNEIGH, Nlmsg.NLM_F_DUMP, ++_sequence);
        request.Take(NeighbourHeaderLength)[0] = (byte)family; // ndm_family
        Errno? end = null; // a dump ends with a message of its own, not with an acknowledgement
        ErrorMessage outcome = Ask(ref request, message =>
        {
            if (!MessageHeader.TryRead(message, out MessageHeader header))
                return;
            ReadOnlySpan<byte> payload = message[Nlmsg.HeaderLength..];
            if (header.Type == RTM_NEWNEIGH && TryRead(payload, family, out (int, IpAddress) key, out NeighbourState state))
                neighbours[key] = state;
            else if (header.Type == Nlmsg.NLMSG_DONE && ErrorMessage.TryRead(header, payload, out ErrorMessage done))
                end = done.Errno;
        });
        Errno errno = end ?? outcome.Errno;
        return errno == Errno.None ? neighbours : throw new NetlinkException($"reading the {family} neighbours", errno, outcome.Text);
    }

    /// <summary>Lets the kernel ask a neighbour for its link address, as a packet to it would; needs CAP_NET_ADMIN.</summary>
    internal void Use(int device, FlowFamily family, IpAddress address)
    {
        RequestWriter request = new(_request);
        request.BeginMessage(RTM_NEWNEIGH, Nlmsg.NLM_F_ACK | Nlmsg.NLM_F_CREATE, ++_sequence);
        Span<byte> ndmsg = request.Take(NeighbourHeaderLength);
        ndmsg[0] = (byte)family; // ndm_family
        BinaryPrimitives.WriteInt32LittleEndian(ndmsg[4..], device); // ndm_ifindex
        ndmsg[10] = NTF_USE; // ndm_flags
        address.WriteTo(request.Put(NDA_DST, LengthOf(family)), family);
        ErrorMessage outcome = Ask(ref request, onAnswer: null);
        if (outcome.Errno != Errno.None)
            throw new NetlinkException(
                $"asking for neighbour {address.ToIPAddress(family)}", outcome.Errno,
                outcome.Text ?? (outcome.Errno == Errno.EPERM ? "this needs CAP_NET_ADMIN" : null));
    }

    /// <summary>Name of an interface, and why it carries no packets (null: it does); null when there is none of this index.</summary>
    internal (string Name, string? Problem)? Link(int index)
    {
        RequestWriter request = new(_request);
        request.BeginMessage(RTM_GETLINK, Nlmsg.NLM_F_ACK, ++_sequence);
        BinaryPrimitives.WriteInt32LittleEndian(request.Take(LinkHeaderLength)[4..], index); // ifi_index
        (string, string?)? link = null;
        ErrorMessage outcome = Ask(ref request, message =>
        {
            ReadOnlySpan<byte> ifinfomsg = message[Nlmsg.HeaderLength..];
            if (ifinfomsg.Length < LinkHeaderLength)
                return;
            uint flags = BinaryPrimitives.ReadUInt32LittleEndian(ifinfomsg[8..]); // ifi_flags
            string? problem = (flags & IFF_UP) == 0 ? "is down" : (flags & IFF_RUNNING) == 0 ? "has no carrier" : null;
            link = (NameOf(ifinfomsg[LinkHeaderLength..]), problem);
        });
        return outcome.Errno is Errno.None or Errno.ENODEV
            ? link
            : throw new NetlinkException($"looking up interface {index}", outcome.Errno, outcome.Text);
    }

    private ErrorMessage Ask(ref RequestWriter request, AnswerReader? onAnswer)
    {
        request.EndMessage();
        return KernelRequest.Exchange(_socket, request.Written, onAnswer, _answer);
    }

    private static string NameOf(ReadOnlySpan<byte> attributes)
    {
        AttributeReader reader = new(attributes);
        while (reader.Next())
        {
            if (reader.Type == IFLA_IFNAME)
                return Encoding.UTF8.GetString(reader.Value.TrimEnd((byte)0));
        }

        return "?";
    }

    private static bool TryRead(
        ReadOnlySpan<byte> message, FlowFamily family, out (int Interface, IpAddress Address) key, out NeighbourState state)
    {
        (key, state) = (default, default);
        if (message.Length < NeighbourHeaderLength || message[0] != (byte)family)
            return false;
        ushort bits = BinaryPrimitives.ReadUInt16LittleEndian(message[8..]); // ndm_state
        state = (bits & NUD_FAILED) != 0 ? NeighbourState.Failed
            : (bits & NUD_INCOMPLETE) != 0 ? NeighbourState.Asked
            : bits == 0 ? NeighbourState.None
            : NeighbourState.Known;
        AttributeReader attributes = new(message[NeighbourHeaderLength..]);
        while (attributes.Next())
        {
            if (attributes.Type != NDA_DST || attributes.Value.Length != LengthOf(family))
                continue;
            IpAddress address = family == FlowFamily.IPv4 ? IpAddress.FromIPv4(attributes.Value) : IpAddress.FromIPv6(attributes.Value);
            key = (BinaryPrimitives.ReadInt32LittleEndian(message[4..]), address); // ndm_ifindex
            return true;
        }

        return false;
    }

    private static int LengthOf(FlowFamily family) => family == FlowFamily.IPv4 ? 4 : 16;
}
