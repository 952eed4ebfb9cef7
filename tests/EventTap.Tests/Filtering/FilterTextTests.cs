using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Tests.Filtering;

public class FilterTextTests
{
    [Theory]
    [InlineData("tcp", IpProtocol.Tcp)]
    [InlineData("UDP", IpProtocol.Udp)]
    [InlineData("icmpv6", IpProtocol.IcmpV6)]
    [InlineData("136", IpProtocol.UdpLite)]
    [InlineData("0", (IpProtocol)0)]
    [InlineData("255", (IpProtocol)255)]
    [InlineData("esp", (IpProtocol)50)] // of /etc/protocols
    [InlineData("IPSEC-ESP", (IpProtocol)50)] // an alias there
    public void Protocols_are_names_or_numbers(string text, IpProtocol expected)
    {
        Assert.True(FilterText.TryParseProtocol(text, out IpProtocol protocol, out string? error), error);
        Assert.Equal(expected, protocol);
    }

    [Theory]
    [InlineData("SYN_RECV", 1 << 2, 0, 0)]
    [InlineData("established", 1 << 3, 1 << 4, 0)]
    [InlineData("LISTEN", 1 << 9, 0, 0)]
    [InlineData("NONE", 1, 1, 1)]
    [InlineData("PARTOPEN", 0, 0, 1 << 3)]
    [InlineData("SHUTDOWN_RECD, shutdown_recv", 0, 1 << 6, 0)]
    [InlineData("CLOSE,TIME_WAIT,CLOSED", (1 << 7) | (1 << 8), 1 << 1, 0)]
    public void States_are_spelled_as_in_conntrack_tools(string text, int tcp, int sctp, int dccp)
    {
        Assert.True(StateMatch.TryParse(text, out StateMatch states, out string? error), error);
        Assert.Equal(new StateMatch((ushort)tcp, (ushort)sctp, (ushort)dccp), states);
    }

    [Fact]
    public void Protocols_are_read_as_getprotobyname_reads_them()
    {
        Dictionary<string, byte> numbers = ProtocolFile.Parse(
            ["# comment", "", "esp\t50\tIPSEC-ESP # comment", "bad", "big 256", "none x", "esp 51", "ah 51 #AH"]);
        Assert.Equal((3, 50, 50, 51), (numbers.Count, numbers["ESP"], numbers["ipsec-esp"], numbers["ah"]));
    }

    [Theory]
    [InlineData("80", 80, 80)]
    [InlineData("0-65535", 0, 65535)]
    [InlineData("8000:8100", 8000, 8100)]
    public void Ports_are_single_or_ranges(string text, int first, int last)
    {
        Assert.True(FilterText.TryParsePorts(text, out PortRange ports, out string? error), error);
        Assert.Equal(new PortRange((ushort)first, (ushort)last), ports);
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1/32", null)]
    [InlineData("192.0.2.1:80", "192.0.2.1/32", "80")]
    [InlineData("192.0.2.0/24:80-90", "192.0.2.0/24", "80-90")]
    [InlineData("2001:db8::1", "2001:db8::1/128", null)]
    [InlineData("[2001:db8::1]", "2001:db8::1/128", null)]
    [InlineData("[2001:db8::1]:80", "2001:db8::1/128", "80")]
    public void A_target_of_nat_is_an_address_and_perhaps_ports(string text, string address, string? ports)
    {
        Assert.True(NatEnd.TryParse(text, out NatEnd target, out string? error), error);
        Assert.Equal((address, ports), (target.Address.ToString(), target.Ports?.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":80")]
    [InlineData("192.0.2.1:")]
    [InlineData("192.0.2.1:http")]
    [InlineData("[2001:db8::1]80")]
    [InlineData("[2001:db8::1")]
    [InlineData("2001:db8::1]:80")]
    [InlineData("[192.0.2.1/24]:80-79")]
    public void A_bad_target_of_nat_is_refused(string text)
    {
        Assert.False(NatEnd.TryParse(text, out _, out string? error));
        Assert.Contains('\'', error);
    }

    [Theory]
    [InlineData("5", "0x5")]
    [InlineData("0x10/0xf0", "0x10/0xf0")]
    [InlineData("0x1bd00-0x1bdff", "0x1bd00-0x1bdff")]
    [InlineData("1-2/3", "0x1-0x2/0x3")]
    [InlineData("0-4294967295", "0x0-0xffffffff")]
    public void Marks_of_a_filter_may_be_ranges(string text, string expected)
    {
        Assert.True(MarkRange.TryParse(text, out MarkRange range, out string? error), error);
        Assert.Equal(expected, range.ToString());
    }

    [Theory]
    [InlineData("1-", "'1-' is not a mark: value, value/mask or first-last")]
    [InlineData("-1", "'-1' is not a mark")]
    [InlineData("1-2-3", "'1-2-3' is not a mark")]
    [InlineData("1/", "'1/' is not a mark")]
    [InlineData("2-1", "'2-1' can never match: it ends before it begins")]
    [InlineData("0x10/0xf", "'0x10/0xf' can never match: its value has bits outside its mask")]
    [InlineData("1-0x10/0xf", "'1-0x10/0xf' can never match: its value has bits outside its mask")]
    public void Bad_marks_of_a_filter_are_refused(string text, string reason)
    {
        Assert.False(MarkRange.TryParse(text, out _, out string? error));
        Assert.StartsWith(reason, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_refusal_names_the_value_and_what_is_allowed()
    {
        Assert.False(FilterText.TryParseProtocol("tpc", out _, out string? error));
        Assert.Equal(
            "'tpc' is not a protocol; allowed are tcp, udp, udplite, sctp, dccp, gre, icmp, icmpv6, another name of /etc/protocols, "
            + "or a number from 0 to 255",
            error);
        Assert.False(FilterText.TryParseProtocol("256", out _, out error));
        Assert.False(StateMatch.TryParse("ESTABLISHED,OPENED", out _, out error));
        Assert.StartsWith(
            "'OPENED' is not a state of TCP, SCTP or DCCP; allowed are NONE, SYN_SENT, CLOSED", error, StringComparison.Ordinal);
        Assert.False(FilterText.TryParseRole("both", out _, out error));
        Assert.Equal("'both' is not a DCCP role; allowed are client, server", error);
        Assert.False(FilterText.TryParseKey("65536", out _, out error));
        Assert.Equal("'65536' is not a key: a number from 0 to 65535, decimal or 0x-hexadecimal", error);
        Assert.False(FilterText.TryParseIcmp("256", out _, out error));
        Assert.Equal("'256' is not a number from 0 to 255", error);
        Assert.False(FilterText.TryParseUInt32("0x100000000", out _, out error));
        Assert.Equal("'0x100000000' is not a number of 32 bits, decimal or 0x-hexadecimal", error);
        Assert.False(FilterText.TryParseFamily("inet", out _, out error));
        Assert.Equal("'inet' is not a family; allowed are ipv4, ipv6", error);
        Assert.False(FilterText.TryParsePorts("65536", out _, out error));
        Assert.Equal("'65536' is neither a port nor a range of ports such as 8000-8100", error);
        Assert.False(FilterText.TryParseZone("-1", out _, out error));
        Assert.Equal("'-1' is not a zone: a number from 0 to 65535", error);
    }

    [Theory]
    [InlineData("5", 5u, uint.MaxValue)]
    [InlineData("0x10/0xf0", 0x10u, 0xf0u)]
    [InlineData("0xFFFFFFFF/4294967295", uint.MaxValue, uint.MaxValue)]
    public void Marks_are_decimal_or_hexadecimal(string text, uint value, uint mask)
    {
        Assert.True(MarkMatch.TryParse(text, out MarkMatch match, out string? error), error);
        Assert.Equal(new MarkMatch(value, mask), match);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ff")]
    [InlineData("0x100000000")]
    [InlineData("1/")]
    [InlineData("/1")]
    [InlineData("1/2/3")]
    [InlineData("-1")]
    public void Bad_marks_are_refused(string text)
    {
        Assert.False(MarkMatch.TryParse(text, out _, out string? error));
        Assert.StartsWith($"'{text}' is not a mark", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0x10/0x0f")]
    [InlineData("1/0")]
    public void Marks_that_no_flow_can_have_are_refused(string text)
    {
        Assert.False(MarkMatch.TryParse(text, out _, out string? error));
        Assert.Equal($"'{text}' can never match: its value has bits outside its mask", error);
    }

    [Theory]
    [InlineData("ASSURED", FlowStatus.Assured, FlowStatus.None)]
    [InlineData("assured,SEEN_REPLY", FlowStatus.Assured | FlowStatus.SeenReply, FlowStatus.None)]
    [InlineData("UNREPLIED", FlowStatus.None, FlowStatus.SeenReply)]
    [InlineData("!UNREPLIED", FlowStatus.SeenReply, FlowStatus.None)]
    [InlineData("!ASSURED, SEEN_REPLY", FlowStatus.SeenReply, FlowStatus.Assured)]
    [InlineData("UNSET", FlowStatus.None, FlowStatus.None)]
    [InlineData("UNSET,ASSURED", FlowStatus.Assured, FlowStatus.None)]
    public void Statuses_are_spelled_as_in_conntrack_tools(string text, FlowStatus required, FlowStatus excluded)
    {
        Assert.True(StatusMatch.TryParse(text, out StatusMatch match, out string? error), error);
        Assert.Equal(new StatusMatch(required, excluded), match);
    }

    [Theory]
    [InlineData("", "'' is not a status; allowed are ASSURED")]
    [InlineData("ASSURED,", "'' is not a status")]
    [InlineData("!UNSET", "'!UNSET' is not a status")]
    [InlineData("!!ASSURED", "'!!ASSURED' is not a status")]
    [InlineData("SEEN_REPLY,UNREPLIED", "can never hold")]
    public void Bad_statuses_are_refused(string text, string reason)
    {
        Assert.False(StatusMatch.TryParse(text, out _, out string? error));
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }
}
