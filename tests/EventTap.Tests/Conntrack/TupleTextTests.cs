using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Tests.Conntrack;

public class TupleTextTests
{
    [Theory]
    [InlineData("tcp-row", "tcp src=127.0.0.1 dst=127.0.0.1 sport=35104 dport=8080")]
    [InlineData("udp-zone-row", "udp src=127.0.0.1 dst=127.0.0.1 sport=52157 dport=7002 zone=6")]
    [InlineData("icmp6-row", "icmpv6 src=::1 dst=::1 type=128 code=0 id=17185")]
    [InlineData("unknown-protocol-row", "253 src=10.1.1.1 dst=10.1.1.2 sport=0 dport=0")]
    public void Describes(string name, string expected)
    {
        FlowBatch batch = new();
        FlowDecoder.DecodeRow(Hex.Recorded(name), batch, 0);
        Assert.Equal(expected, TupleText.Describe(batch.Span[0].Flow.Original));
    }
}
