using System.Net;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Tests.Conntrack;

/// <summary>What a request says, read back by the decoder or attribute by attribute.</summary>
public class EntryRequestTests
{
    private static readonly FlowTuple Original = Tuple("10.0.0.1", "10.0.0.2", 1000, 80);
    private static readonly FlowTuple Reply = Tuple("10.0.0.2", "10.0.0.1", 80, 1000);

    [Fact]
    public void Says_what_is_given()
    {
        Flow written = Decode(new EntryRequest
        {
            Original = Original,
            Reply = Reply,
            Zone = 7,
            Status = FlowStatus.SeenReply,
            Timeout = 30,
            Mark = new BitMatch(0x15),
            Labels = (UInt128.One << 127, UInt128.MaxValue),
            Helper = "ftp",
            ProtocolState = (byte)TcpState.Established,
            TcpFlags = 0x0A,
        });
        Assert.Equal((7, 7), (written.Original.Zone, written.Reply.Zone));
        Assert.Equal((Original.Source, Reply.Source, 1000, 80), (
            written.Original.Source, written.Reply.Source, written.Original.SourcePort, written.Reply.SourcePort));
        Assert.Equal(FlowStatus.SeenReply | FlowStatus.Confirmed, written.Status);
        Assert.Equal((30u, 0x15u, TcpState.Established), (written.Timeout, written.Mark, written.TcpState));
        Assert.Equal((0x0A, 0x0A, 0x0A, 0x0A), (
            written.OriginalTcpFlags, written.OriginalTcpFlagsMask, written.ReplyTcpFlags, written.ReplyTcpFlagsMask));
        Assert.Equal((UInt128.One << 127, "ftp"), (written.Extras!.Labels, written.Extras.Helper));
    }

    [Fact]
    public void Leaves_out_what_is_not_given()
    {
        Flow written = Decode(EntryRequest.For(Original));
        Assert.Equal(FlowFields.Original, written.Present);
        Assert.Null(written.Extras);
        Assert.Equal(["TupleOrig", "Zone"], Types(EntryRequest.For(Original with { Zone = 3 })));
    }

    [Fact]
    public void A_mask_is_sent_only_where_it_leaves_bits()
    {
        Assert.Equal(["TupleOrig", "Mark"], Types(EntryRequest.For(Original) with { Mark = new BitMatch(1) }));
        Assert.Equal(["TupleOrig", "Mark", "MarkMask"], Types(EntryRequest.For(Original) with { Mark = new BitMatch(1, 3) }));
    }

    [Fact]
    public void A_zone_of_one_direction_is_in_its_tuple()
    {
        Flow written = Decode(new EntryRequest { Original = Original, Reply = Reply, ReplyZone = 9 });
        Assert.Equal((0, 9), (written.Original.Zone, written.Reply.Zone));
    }

    [Fact]
    public void Translation_is_asked_for_by_address_and_port()
    {
        EntryRequest request = EntryRequest.For(Original) with
        {
            SourceNat = new NatTarget(Address("9.9.9.9"), 99),
            DestinationNat = new NatTarget(null, 98),
        };
        Assert.Equal(["TupleOrig", "NatSource", "NatDestination"], Types(request));
        AttributeReader attributes = new(Write(request).AsSpan(20));
        while (attributes.Next() && attributes.Type != Ctnetlink.CTA_NAT_SRC)
        {
        }

        Assert.Equal(Hex.Parse("""
            08 00 01 00  09 09 09 09 // CTA_NAT_V4_MINIP
            08 00 02 00  09 09 09 09 // CTA_NAT_V4_MAXIP
            14 00 03 80 // CTA_NAT_PROTO
            06 00 01 00  00 63 00 00 //   CTA_PROTONAT_PORT_MIN
            06 00 02 00  00 63 00 00 //   CTA_PROTONAT_PORT_MAX
            """), attributes.Value);
    }

    [Fact]
    public void Sctp_and_dccp_have_their_own_state()
    {
        FlowTuple sctp = Original with { Protocol = IpProtocol.Sctp }, dccp = Original with { Protocol = IpProtocol.Dccp };
        Flow written = Decode(EntryRequest.For(sctp) with { ProtocolState = 3, SctpOriginalTag = 1, SctpReplyTag = 2 });
        Assert.Equal((3, 1u, 2u), (written.ProtocolState, written.Extras!.SctpOriginalTag, written.Extras.SctpReplyTag));
        written = Decode(EntryRequest.For(dccp) with { ProtocolState = 4, DccpRole = 1 });
        Assert.Equal((4, 1), (written.ProtocolState, written.Extras!.DccpRole));
    }

    [Theory]
    [InlineData(EntryList.Conntrack, false, 1)] // IPCTNL_MSG_CT_GET
    [InlineData(EntryList.Conntrack, true, 3)] // IPCTNL_MSG_CT_GET_CTRZERO
    [InlineData(EntryList.Dying, false, 6)] // IPCTNL_MSG_CT_GET_DYING
    [InlineData(EntryList.Unconfirmed, false, 7)] // IPCTNL_MSG_CT_GET_UNCONFIRMED
    public void A_dump_has_a_message_for_each_list(EntryList list, bool zeroes, byte message) =>
        Assert.Equal(message, new DumpRequest { List = list, ZeroCounters = zeroes }.Message);

    private static FlowTuple Tuple(string source, string destination, ushort sourcePort, ushort destinationPort) => new()
    {
        Source = Address(source),
        Destination = Address(destination),
        SourcePort = sourcePort,
        DestinationPort = destinationPort,
        Protocol = IpProtocol.Tcp,
        Family = FlowFamily.IPv4,
    };

    private static IpAddress Address(string text) => IpAddress.From(IPAddress.Parse(text));

    private static string[] Types(EntryRequest request)
    {
        List<string> types = [];
        AttributeReader attributes = new(Write(request).AsSpan(20));
        while (attributes.Next())
        {
            types.Add(attributes.Type switch
            {
                Ctnetlink.CTA_TUPLE_ORIG => "TupleOrig",
                Ctnetlink.CTA_ZONE => "Zone",
                Ctnetlink.CTA_MARK => "Mark",
                Ctnetlink.CTA_MARK_MASK => "MarkMask",
                Ctnetlink.CTA_NAT_SRC => "NatSource",
                Ctnetlink.CTA_NAT_DST => "NatDestination",
                _ => attributes.Type.ToString(System.Globalization.CultureInfo.InvariantCulture),
            });
        }

        return [.. types];
    }

    private static byte[] Write(EntryRequest entry)
    {
        RequestWriter request = new(new byte[1024]);
        request.BeginNetfilter(0x0100, Nlmsg.NLM_F_CREATE, 1, (byte)entry.Family);
        entry.Put(ref request);
        request.EndMessage();
        return request.Written.ToArray();
    }

    private static Flow Decode(EntryRequest entry)
    {
        FlowBatch batch = new();
        Assert.Equal(DecodeResult.Decoded, FlowDecoder.Decode(Write(entry), batch, 0));
        return batch.Span[0].Flow;
    }
}
