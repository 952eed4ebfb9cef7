using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Text;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.FlowLog;

public class FlowDirectionsTests
{
    private static readonly FlowLogOptions Options = new()
    {
        LocalNetworks = ["10.0.0.0/8", "2001:db8:1::/48"],
        MarkDirections = ["0x100/0xff00=forward", "0x1bd10/0xfffff0=ingress", "5=egress"],
    };

    [Theory]
    [InlineData("10.0.0.1", "10.9.9.9", FlowDirection.Internal)]
    [InlineData("10.0.0.1", "192.0.2.1", FlowDirection.Egress)]
    [InlineData("192.0.2.1", "10.0.0.1", FlowDirection.Ingress)]
    [InlineData("192.0.2.1", "192.0.2.2", FlowDirection.Forward)]
    [InlineData("2001:db8:1::1", "2001:db8:2::1", FlowDirection.Egress)]
    [InlineData("::10.0.0.1", "2001:db8:1::1", FlowDirection.Ingress)] // the same number as an IPv4 address
    public void By_local_networks(string source, string destination, FlowDirection expected) =>
        Assert.Equal(expected, Options.Directions().Of(Flow(Tuple(IpProtocol.Tcp, source, 1, destination, 2))));

    [Fact]
    public void A_published_port_is_ingress_by_the_machine_it_reaches()
    {
        Flow flow = Flow(
            Tuple(IpProtocol.Tcp, "192.0.2.1", 1, "203.0.113.1", 443), Tuple(IpProtocol.Tcp, "10.0.0.5", 8443, "192.0.2.1", 1));
        Assert.Equal(FlowDirection.Ingress, Options.Directions().Of(flow));
    }

    [Theory]
    [InlineData(0x0bd10u, FlowDirection.Internal)] // no rule
    [InlineData(0x1bd1fu, FlowDirection.Ingress)]
    [InlineData(0x001ffu, FlowDirection.Forward)]
    [InlineData(0x00005u, FlowDirection.Egress)]
    public void A_mark_decides_before_the_networks(uint mark, FlowDirection expected)
    {
        Flow flow = Flow(Tuple(IpProtocol.Tcp, "10.0.0.1", 1, "10.0.0.2", 2));
        flow.Mark = mark;
        flow.Present |= FlowFields.Mark;
        Assert.Equal(expected, Options.Directions().Of(flow));
    }

    [Fact]
    public void Of_several_rules_the_one_with_most_mask_bits_decides()
    {
        FlowLogOptions options = new() { MarkDirections = ["0/0=forward", "0x10/0x10=egress", "0x11=ingress"] };
        Flow flow = default;
        flow.Mark = 0x11;
        Assert.Equal(FlowDirection.Ingress, options.Directions().Of(flow));
        flow.Mark = 0x12;
        Assert.Equal(FlowDirection.Egress, options.Directions().Of(flow));
        flow.Mark = 0x1;
        Assert.Equal(FlowDirection.Forward, options.Directions().Of(flow));
    }

    [Fact]
    public void Nothing_configured_is_unknown() =>
        Assert.Equal(FlowDirection.Unknown, new FlowLogOptions().Directions().Of(Started().Flow));
}
