using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Tests.Conntrack;

/// <summary>Messages recorded from Linux 6.18 (Recorded/*.hex), and by hand what that kernel was not made to send.</summary>
public class FlowDecoderTests
{
    private const long ReceivedAt = 1_700_000_000_000_000_000;

    private const string UdpTuple = """
        34 00 01 80 // CTA_TUPLE_ORIG
        14 00 01 80 //   CTA_TUPLE_IP
        08 00 01 00  0a 00 00 01 //     CTA_IP_V4_SRC
        08 00 02 00  0a 00 00 02 //     CTA_IP_V4_DST
        1c 00 02 80 //   CTA_TUPLE_PROTO
        05 00 01 00  11 00 00 00 //     CTA_PROTO_NUM
        06 00 02 00  04 01 00 00 //     CTA_PROTO_SRC_PORT
        06 00 03 00  00 35 00 00 //     CTA_PROTO_DST_PORT

        """;

    [Fact]
    public void Tcp_new()
    {
        FlowEvent e = Decode("tcp-new");
        Assert.Equal(FlowEventType.New, e.Type);
        Assert.Equal(0x18e9e96307088b55, e.Time);
        Assert.Equal(V4(IpProtocol.Tcp, "127.0.0.1", 35104, "127.0.0.1", 8080), e.Flow.Original);
        Assert.Equal(V4(IpProtocol.Tcp, "127.0.0.1", 8080, "127.0.0.1", 35104), e.Flow.Reply);
        Assert.Equal(0x242d03b9u, e.Flow.Id);
        Assert.Equal(FlowStatus.Confirmed | FlowStatus.SourceNatDone | FlowStatus.DestinationNatDone, e.Flow.Status);
        Assert.Equal(120u, e.Flow.Timeout);
        Assert.Equal(TcpState.SynSent, e.Flow.TcpState);
        Assert.Equal((10, 0), (e.Flow.OriginalWindowScale, e.Flow.ReplyWindowScale));
        Assert.Equal((3, 0, 0, 0), (e.Flow.OriginalTcpFlags, e.Flow.OriginalTcpFlagsMask, e.Flow.ReplyTcpFlags, e.Flow.ReplyTcpFlagsMask));
        Assert.Equal(
            FlowFields.BothTuples | FlowFields.Id | FlowFields.Status | FlowFields.Timeout | FlowFields.ProtocolState | FlowFields.TcpWindow
            | FlowFields.EventTime,
            e.Flow.Present);
        Assert.Null(e.Flow.Extras);
        Assert.False(e.Flow.IsSourceNat || e.Flow.IsDestinationNat);
    }

    [Fact]
    public void Tcp_update()
    {
        FlowEvent e = Decode("tcp-update");
        Assert.Equal(FlowEventType.Update, e.Type);
        Assert.Equal(TcpState.SynReceived, e.Flow.TcpState);
        Assert.True(e.Flow.Status.HasFlag(FlowStatus.SeenReply));
    }

    [Fact]
    public void Tcp_destroy()
    {
        FlowEvent e = Decode("tcp-destroy");
        Assert.Equal(FlowEventType.Destroy, e.Type);
        Assert.Equal(0x18e9e963148891d4, e.Time);
        Assert.Equal((6ul, 0x145ul, 4ul, 0xdaul), (e.Flow.OriginalPackets, e.Flow.OriginalBytes, e.Flow.ReplyPackets, e.Flow.ReplyBytes));
        Assert.Equal((0x18e9e9630709298f, 0x18e9e9631488910b), (e.Flow.StartTime, e.Flow.StopTime));
        Assert.Equal(TcpState.TimeWait, e.Flow.TcpState);
        Assert.True(e.Flow.Has(FlowFields.Counters | FlowFields.StartTime | FlowFields.StopTime | FlowFields.ProtocolState));
        Assert.False(e.Flow.Has(FlowFields.TcpWindow));
        Assert.True(e.Flow.Status.HasFlag(FlowStatus.Dying));
    }

    [Fact]
    public void A_row_is_a_row_only_when_the_caller_says_so()
    {
        byte[] message = Hex.Recorded("tcp-row");
        FlowBatch batch = new();
        Assert.Equal(DecodeResult.Decoded, FlowDecoder.DecodeRow(message, batch, ReceivedAt));
        Assert.Equal(DecodeResult.Decoded, FlowDecoder.Decode(message, batch, ReceivedAt));
        Assert.Equal(FlowEventType.Row, batch.Span[0].Type);
        Assert.Equal(FlowEventType.Update, batch.Span[1].Type);
        Assert.Equal(ReceivedAt, batch.Span[0].Time);
        Assert.True(batch.Span[0].Flow.Has(FlowFields.Use | FlowFields.Mark));
        Assert.Equal(1u, batch.Span[0].Flow.Use);
        Assert.Equal(DecodeResult.Ignored, FlowDecoder.DecodeRow(Hex.Recorded("tcp-destroy"), batch, ReceivedAt));
    }

    [Fact]
    public void Destination_nat()
    {
        FlowEvent e = Decode("tcp-dnat-destroy");
        Assert.Equal((8081, 8080), (e.Flow.Original.DestinationPort, e.Flow.Reply.SourcePort));
        Assert.True(e.Flow.Status.HasFlag(FlowStatus.DestinationNat));
        Assert.True(e.Flow.IsDestinationNat);
        Assert.False(e.Flow.IsSourceNat);
    }

    [Fact]
    public void IPv6()
    {
        FlowEvent e = Decode("tcp6-destroy");
        Assert.Equal(FlowFamily.IPv6, e.Flow.Original.Family);
        Assert.Equal(new IpAddress(0, 1), e.Flow.Original.Source);
        Assert.Equal(46168, e.Flow.Original.SourcePort);
        e = Decode("udplite6-row");
        Assert.Equal(IpProtocol.UdpLite, e.Flow.Original.Protocol);
        Assert.Equal(
            (new IpAddress(0xfd00_0000_0000_0000, 1), new IpAddress(0xfd00_0000_0000_0000, 2)),
            (e.Flow.Original.Source, e.Flow.Original.Destination));
    }

    [Fact]
    public void A_directional_zone_is_in_its_tuple_only()
    {
        Assert.Equal((5, 0), Zones(Decode("udp-directional-zone-row")));
        Assert.Equal((5, 0), Zones(Decode("udp-directional-zone-destroy")));
        Assert.Equal((6, 6), Zones(Decode("udp-zone-row")));

        static (int, int) Zones(FlowEvent e) => (e.Flow.Original.Zone, e.Flow.Reply.Zone);
    }

    [Fact]
    public void Mark()
    {
        FlowEvent e = Decode("udp-mark-new");
        Assert.Equal((FlowEventType.New, 42u), (e.Type, e.Flow.Mark));
        Assert.True(e.Flow.Has(FlowFields.Mark));
    }

    [Fact]
    public void Labels()
    {
        FlowExtras? extras = Decode("udp-labels-row").Flow.Extras;
        Assert.NotNull(extras);
        Assert.True(extras.HasLabels);
        Assert.Equal(UInt128.One << 1, extras.Labels);
        extras = Decode(Hex.Message(UdpTuple + "0c 00 16 00  00 00 00 00 01 00 00 00 // CTA_LABELS, 8 bytes")).Flow.Extras;
        Assert.Equal(UInt128.One << 32, extras!.Labels);
    }

    [Fact]
    public void Icmp_keeps_id_type_and_code()
    {
        FlowEvent e = Decode("icmp-row");
        Assert.Equal(
            (IpProtocol.Icmp, 8, 0, 0x1234),
            (e.Flow.Original.Protocol, e.Flow.Original.IcmpType, e.Flow.Original.IcmpCode, e.Flow.Original.IcmpId));
        Assert.Equal((0, 0, 0x1234), (e.Flow.Reply.IcmpType, e.Flow.Reply.IcmpCode, e.Flow.Reply.IcmpId));
        e = Decode("icmp6-row");
        Assert.Equal(
            (IpProtocol.IcmpV6, 128, 0, 0x4321),
            (e.Flow.Original.Protocol, e.Flow.Original.IcmpType, e.Flow.Original.IcmpCode, e.Flow.Original.IcmpId));
        Assert.Equal((129, 0x4321), (e.Flow.Reply.IcmpType, e.Flow.Reply.IcmpId));
    }

    [Fact]
    public void Icmp_code()
    {
        FlowEvent e = Decode(Hex.Message("""
            3c 00 01 80 // CTA_TUPLE_ORIG
            14 00 01 80 //   CTA_TUPLE_IP
            08 00 01 00  0a 00 00 01 //     CTA_IP_V4_SRC
            08 00 02 00  0a 00 00 02 //     CTA_IP_V4_DST
            24 00 02 80 //   CTA_TUPLE_PROTO
            05 00 01 00  01 00 00 00 //     CTA_PROTO_NUM
            06 00 04 00  ff fe 00 00 //     CTA_PROTO_ICMP_ID
            05 00 05 00  0d 00 00 00 //     CTA_PROTO_ICMP_TYPE
            05 00 06 00  07 00 00 00 //     CTA_PROTO_ICMP_CODE
            """));
        Assert.Equal((13, 7, 0xfffe), (e.Flow.Original.IcmpType, e.Flow.Original.IcmpCode, e.Flow.Original.IcmpId));
    }

    [Fact]
    public void Gre_keys_are_ports()
    {
        FlowEvent e = Decode("gre-row");
        Assert.Equal(
            (IpProtocol.Gre, 0x1234, 0x5678), (e.Flow.Original.Protocol, e.Flow.Original.SourcePort, e.Flow.Original.DestinationPort));
    }

    [Fact]
    public void An_entry_made_by_request_has_no_synproxy() => Assert.Null(Decode("gre-row").Flow.Extras);

    [Fact]
    public void Sctp()
    {
        FlowEvent e = Decode("sctp-row");
        Assert.Equal((IpProtocol.Sctp, 4), (e.Flow.Original.Protocol, e.Flow.ProtocolState));
        // as the recording tool swapped them
        Assert.Equal((0x0b000000u, 0x16000000u), (e.Flow.Extras!.SctpOriginalTag, e.Flow.Extras.SctpReplyTag));
        e = Decode("sctp-destroy");
        Assert.True(e.Flow.Has(FlowFields.ProtocolState));
        Assert.Null(e.Flow.Extras);
    }

    [Fact]
    public void An_unknown_protocol_has_no_ports()
    {
        FlowEvent e = Decode("unknown-protocol-row");
        Assert.Equal(V4((IpProtocol)253, "10.1.1.1", 0, "10.1.1.2", 0), e.Flow.Original);
    }

    [Fact]
    public void Helper_and_sequence_adjustment()
    {
        FlowExtras extras = Decode("ftp-control-row").Flow.Extras!;
        Assert.Equal("ftp", extras.Helper);
        Assert.Equal(default, extras.OriginalSequence);
        Assert.Equal(new SequenceAdjustment(0x81efbf4e, 0, -6), extras.ReplySequence);
        Assert.False(extras.HasMaster);
    }

    [Fact]
    public void Master()
    {
        FlowEvent e = Decode("ftp-data-row");
        Assert.True(e.Flow.Extras!.HasMaster);
        Assert.Equal(V4(IpProtocol.Tcp, "10.1.1.1", 40574, "10.1.1.1", 21), e.Flow.Extras.Master);
        Assert.True(e.Flow.Status.HasFlag(FlowStatus.Expected));
        byte[] inZone = Hex.Message(
            UdpTuple + UdpTuple.Replace("34 00 01 80", "34 00 0e 80", StringComparison.Ordinal) + "06 00 12 00  00 07 00 00 // CTA_ZONE");
        e = Decode(inZone);
        Assert.Equal(7, e.Flow.Extras!.Master.Zone);
        Assert.Equal(default, e.Flow.Reply); // there is none: no zone either
    }

    [Fact]
    public void Security_context_and_synproxy_and_dccp()
    {
        FlowEvent e = Decode(Hex.Message(UdpTuple + """
            0c 00 13 80 // CTA_SECCTX
            08 00 01 00  61 3a 62 00 //   CTA_SECCTX_NAME
            1c 00 18 80 // CTA_SYNPROXY
            08 00 01 00  00 00 00 01 //   CTA_SYNPROXY_ISN
            08 00 02 00  00 00 00 02 //   CTA_SYNPROXY_ITS
            08 00 03 00  00 00 00 03 //   CTA_SYNPROXY_TSOFF
            18 00 04 80 // CTA_PROTOINFO
            14 00 02 80 //   CTA_PROTOINFO_DCCP
            05 00 01 00  03 00 00 00 //     CTA_PROTOINFO_DCCP_STATE
            05 00 02 00  01 00 00 00 //     CTA_PROTOINFO_DCCP_ROLE
            """));
        FlowExtras extras = e.Flow.Extras!;
        Assert.Equal("a:b", extras.SecurityContext);
        Assert.True(extras.HasSynproxy);
        Assert.Equal((1u, 2u, 3u), (extras.SynproxyIsn, extras.SynproxyIts, extras.SynproxyTimestampOffset));
        Assert.Equal((3, 1), (e.Flow.ProtocolState, extras.DccpRole));
    }

    [Fact]
    public void Counters_of_32_bits()
    {
        FlowEvent e = Decode(Hex.Message(UdpTuple + """
            14 00 09 80 // CTA_COUNTERS_ORIG
            08 00 03 00  00 00 00 07 //   CTA_COUNTERS32_PACKETS
            08 00 04 00  ff ff ff ff //   CTA_COUNTERS32_BYTES
            """));
        Assert.Equal((7ul, 0xfffffffful), (e.Flow.OriginalPackets, e.Flow.OriginalBytes));
        Assert.True(e.Flow.Has(FlowFields.OriginalCounters));
        Assert.False(e.Flow.Has(FlowFields.ReplyCounters));
    }

    [Fact]
    public void Unknown_attributes_are_skipped_and_absent_ones_are_not_present()
    {
        FlowEvent e = Decode(
            Hex.Message("0c 00 ff 3f  de ad be ef 00 00 00 00 // not known\n" + UdpTuple + "04 00 63 80 // an empty nest, not known"));
        Assert.Equal(FlowFields.Original, e.Flow.Present);
        Assert.Equal(V4(IpProtocol.Udp, "10.0.0.1", 1025, "10.0.0.2", 53), e.Flow.Original);
    }

    [Fact]
    public void The_last_of_a_repeated_attribute_counts()
    {
        string other = UdpTuple.Replace("0a 00 00 01", "0a 00 00 09", StringComparison.Ordinal);
        Assert.Equal(V4(IpProtocol.Udp, "10.0.0.9", 1025, "10.0.0.2", 53), Decode(Hex.Message(UdpTuple + other)).Flow.Original);
    }

    [Theory]
    [InlineData(0x0002)] // NLMSG_ERROR
    [InlineData(0x0003)] // NLMSG_DONE
    [InlineData(0x0101)] // IPCTNL_MSG_CT_GET
    [InlineData(0x0104)] // IPCTNL_MSG_CT_GET_STATS_CPU
    [InlineData(0x0200)] // NFNL_SUBSYS_CTNETLINK_EXP: IPCTNL_MSG_EXP_NEW
    public void Other_messages_are_ignored(ushort type) =>
        Assert.Equal(DecodeResult.Ignored, FlowDecoder.Decode(Hex.Message(UdpTuple, type), new FlowBatch(), ReceivedAt));

    [Fact]
    public void Other_families_are_ignored() =>
        Assert.Equal(DecodeResult.Ignored, FlowDecoder.Decode(Hex.Message(UdpTuple, family: 7), new FlowBatch(), ReceivedAt));

    [Fact]
    public void Nothing_is_allocated_for_an_event()
    {
        byte[][] messages = [.. Hex.RecordedNames.Select(Hex.Recorded)];
        FlowBatch batch = new FlowBatchPool().Rent();
        DecodeAll();
        // Other tests' names may displace these from the cache that all decoders share:
        // what is allocated for an event would be so each time.
        Assert.Equal(0, Enumerable.Range(0, 100).Min(_ => Allocated()));

        long Allocated()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            DecodeAll();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        void DecodeAll()
        {
            batch.Reset();
            foreach (byte[] message in messages)
                FlowDecoder.Decode(message, batch, ReceivedAt);
        }
    }

    private static FlowEvent Decode(string name) => Decode(Hex.Recorded(name), name.EndsWith("-row", StringComparison.Ordinal));

    private static FlowEvent Decode(byte[] message, bool isRow = false)
    {
        FlowBatch batch = new();
        Assert.Equal(
            DecodeResult.Decoded,
            isRow ? FlowDecoder.DecodeRow(message, batch, ReceivedAt) : FlowDecoder.Decode(message, batch, ReceivedAt));
        Assert.Equal(1, batch.Count);
        return batch.Span[0];
    }

    private static FlowTuple V4(IpProtocol protocol, string source, ushort sourcePort, string destination, ushort destinationPort) => new()
    {
        Family = FlowFamily.IPv4,
        Protocol = protocol,
        Source = IpAddress.From(System.Net.IPAddress.Parse(source)),
        SourcePort = sourcePort,
        Destination = IpAddress.From(System.Net.IPAddress.Parse(destination)),
        DestinationPort = destinationPort,
    };
}
