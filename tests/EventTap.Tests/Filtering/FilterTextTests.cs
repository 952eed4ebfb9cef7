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
    public void Protocols_are_names_or_numbers(string text, IpProtocol expected)
    {
        Assert.True(FilterText.TryParseProtocol(text, out IpProtocol protocol, out string? error), error);
        Assert.Equal(expected, protocol);
    }

    [Theory]
    [InlineData("SYN_RECV", TcpState.SynReceived)]
    [InlineData("established", TcpState.Established)]
    [InlineData("LISTEN", TcpState.SynSent2)]
    [InlineData("NONE", TcpState.None)]
    public void States_are_spelled_as_in_conntrack_tools(string text, TcpState expected)
    {
        Assert.True(FilterText.TryParseState(text, out TcpState state, out string? error), error);
        Assert.Equal(expected, state);
    }

    [Fact]
    public void Every_refusal_names_the_value_and_what_is_allowed()
    {
        Assert.False(FilterText.TryParseProtocol("tpc", out _, out string? error));
        Assert.Equal(
            "'tpc' is not a protocol; allowed are tcp, udp, udplite, sctp, dccp, gre, icmp, icmpv6, or a number from 0 to 255", error);
        Assert.False(FilterText.TryParseProtocol("256", out _, out error));
        Assert.False(FilterText.TryParseState("OPEN", out _, out error));
        Assert.StartsWith("'OPEN' is not a TCP state; allowed are NONE, SYN_SENT", error, StringComparison.Ordinal);
        Assert.False(FilterText.TryParseFamily("inet", out _, out error));
        Assert.Equal("'inet' is not a family; allowed are ipv4, ipv6", error);
        Assert.False(FilterText.TryParsePort("65536", out _, out error));
        Assert.Equal("'65536' is not a port: a number from 0 to 65535", error);
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
    public void Statuses_are_spelled_as_in_conntrack_tools(string text, FlowStatus required, FlowStatus excluded)
    {
        Assert.True(StatusMatch.TryParse(text, out StatusMatch match, out string? error), error);
        Assert.Equal(new StatusMatch(required, excluded), match);
    }

    [Theory]
    [InlineData("", "'' is not a status; allowed are ASSURED")]
    [InlineData("ASSURED,", "'' is not a status")]
    [InlineData("UNSET", "'UNSET' is not a status")]
    [InlineData("!!ASSURED", "'!!ASSURED' is not a status")]
    [InlineData("SEEN_REPLY,UNREPLIED", "can never hold")]
    public void Bad_statuses_are_refused(string text, string reason)
    {
        Assert.False(StatusMatch.TryParse(text, out _, out string? error));
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }
}
