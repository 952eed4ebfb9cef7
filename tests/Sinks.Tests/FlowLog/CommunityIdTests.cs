using System.Text;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Tests.FlowLog;

public class CommunityIdTests
{
    // The published vectors of community-id-spec and pycommunityid, seed 0.
    [Theory]
    [InlineData(6, "128.232.110.120", 34855, "66.35.250.204", 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=")]
    [InlineData(6, "66.35.250.204", 80, "128.232.110.120", 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=")]
    [InlineData(17, "192.168.1.52", 54585, "8.8.8.8", 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=")]
    [InlineData(17, "8.8.8.8", 53, "192.168.1.52", 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=")]
    [InlineData(132, "192.168.170.8", 7, "192.168.170.56", 80, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=")]
    [InlineData(132, "192.168.170.56", 80, "192.168.170.8", 7, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=")]
    [InlineData(46, "10.1.24.4", 0, "10.1.12.1", 0, "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=")]
    public void Flows_with_ports(byte protocol, string source, int sourcePort, string destination, int destinationPort, string expected) =>
        Assert.Equal(expected, Write(FlowLogTestData.Tuple((IpProtocol)protocol, source, sourcePort, destination, destinationPort)));

    [Theory]
    [InlineData(1, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=")] // echo
    [InlineData(1, "192.168.0.1", "192.168.0.89", 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=")] // its answer
    [InlineData(1, "192.168.0.89", "192.168.0.1", 20, 0, "1:3o2RFccXzUgjl7zDpqmY7yJi8rI=")] // no answer: type and code
    [InlineData(1, "192.168.0.89", "192.168.0.1", 20, 1, "1:tz/fHIDUHs19NkixVVoOZywde+I=")]
    [InlineData(58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=")]
    [InlineData(58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=")]
    [InlineData(58, "3ffe:507:0:1:260:97ff:fe07:69ea", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0, "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w=")]
    [InlineData(58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:507:0:1:260:97ff:fe07:69ea", 3, 0, "1:/OGBt9BN1ofenrmSPWYicpij2Vc=")]
    public void Icmp(byte protocol, string source, string destination, byte type, byte code, string expected) =>
        Assert.Equal(expected, Write(FlowLogTestData.Icmp((IpProtocol)protocol, source, destination, type, code, id: 1234)));

    [Fact]
    public void A_record_has_the_id_before_and_after_NAT_and_one_where_there_is_none()
    {
        FlowTuple original = FlowLogTestData.Tuple(IpProtocol.Udp, "192.168.1.52", 54585, "8.8.8.8", 53);
        FlowTuple reply = FlowLogTestData.Tuple(IpProtocol.Udp, "8.8.8.8", 53, "203.0.113.9", 1024);
        JsonElement translated = Record(FlowLogTestData.Flow(original, reply));
        Assert.Equal("1:d/FP5EW3wiY1vCndhwleRRKHowQ=", translated.GetProperty("community_id").GetString());
        Assert.Equal(Write(reply), translated.GetProperty("reply_community_id").GetString());
        JsonElement plain = Record(FlowLogTestData.Flow(original));
        Assert.Equal("1:d/FP5EW3wiY1vCndhwleRRKHowQ=", plain.GetProperty("community_id").GetString());
        Assert.False(plain.TryGetProperty("reply_community_id", out _));
    }

    private static JsonElement Record(Flow flow)
    {
        FlowRecordWriter writer = new("gw", null, FlowDirections.None, communityId: true);
        return JsonDocument.Parse(RecordCases.Write(writer, FlowLogTestData.Change(FlowChangeKind.Ended, flow))).RootElement;
    }

    private static string Write(in FlowTuple tuple)
    {
        byte[] text = new byte[CommunityId.Length];
        CommunityId.Write(tuple, text);
        return Encoding.ASCII.GetString(text);
    }
}
