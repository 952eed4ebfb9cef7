using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Community ID version 1, seed 0 (github.com/corelight/community-id-spec): the same text for a flow in every tool and in both directions.
/// <c>"1:" + base64(sha1(seed | address | address | protocol | 0 | port | port))</c>, the smaller end first.
/// </summary>
public static class CommunityId
{
    /// <summary>Bytes of the text.</summary>
    public const int Length = 2 + 28;

    private const int MaxInput = 2 + 16 + 16 + 2 + 4;

    /// <summary>Writes the id of the flow with this original tuple: <see cref="Length"/> bytes of ASCII.</summary>
    public static void Write(in FlowTuple tuple, Span<byte> destination)
    {
        Span<byte> input = stackalloc byte[MaxInput];
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(input[..Fill(input, tuple)], hash);
        "1:"u8.CopyTo(destination);
        OperationStatus status = Base64.EncodeToUtf8(hash, destination[2..Length], out _, out _);
        if (status != OperationStatus.Done)
            throw new ArgumentException("The destination is too short.", nameof(destination));
    }

    private static int Fill(Span<byte> input, in FlowTuple tuple)
    {
        (ushort sourcePort, ushort destinationPort, bool oneWay) = Ports(tuple);
        bool swap = !oneWay && IsLarger(tuple.Source, sourcePort, tuple.Destination, destinationPort);
        input.Clear(); // the seed, 2 bytes of zero, and the zero after the protocol
        int at = 2;
        at += (swap ? tuple.Destination : tuple.Source).WriteTo(input[at..], tuple.Family);
        at += (swap ? tuple.Source : tuple.Destination).WriteTo(input[at..], tuple.Family);
        input[at] = (byte)tuple.Protocol;
        at += 2;
        if (tuple.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp or IpProtocol.Icmp or IpProtocol.IcmpV6))
            return at;
        BinaryPrimitives.WriteUInt16BigEndian(input[at..], swap ? destinationPort : sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(input[(at + 2)..], swap ? sourcePort : destinationPort);
        return at + 4;
    }

    private static bool IsLarger(IpAddress left, ushort leftPort, IpAddress right, ushort rightPort) =>
        left.High != right.High ? left.High > right.High : left.Low != right.Low ? left.Low > right.Low : leftPort > rightPort;

    /// <summary>ICMP: the type, and the type that answers it; or, for a message without an answer, type and code, never swapped.</summary>
    private static (ushort Source, ushort Destination, bool OneWay) Ports(in FlowTuple tuple)
    {
        if (!tuple.IsIcmp)
            return (tuple.SourcePort, tuple.DestinationPort, false);
        int answer = tuple.Protocol == IpProtocol.Icmp ? Answer(tuple.IcmpType) : AnswerV6(tuple.IcmpType);
        return answer >= 0 ? (tuple.IcmpType, (ushort)answer, false) : (tuple.IcmpType, tuple.IcmpCode, true);
    }

    private static int Answer(byte type) => type switch
    {
        0 => 8, // echo reply, echo
        8 => 0,
        9 => 10, // router advertisement, solicitation
        10 => 9,
        13 => 14, // timestamp, reply
        14 => 13,
        15 => 16, // information request, reply
        16 => 15,
        17 => 18, // address mask request, reply
        18 => 17,
        _ => -1,
    };

    private static int AnswerV6(byte type) => type switch
    {
        128 => 129, // echo request, reply
        129 => 128,
        130 => 131, // multicast listener query, report
        131 => 130,
        133 => 134, // router solicitation, advertisement
        134 => 133,
        135 => 136, // neighbour solicitation, advertisement
        136 => 135,
        139 => 140, // node information query, response
        140 => 139,
        144 => 145, // home agent address discovery request, reply
        145 => 144,
        _ => -1,
    };
}
