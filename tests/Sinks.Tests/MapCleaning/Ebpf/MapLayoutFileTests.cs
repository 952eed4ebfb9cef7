using System.Text;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Ebpf;

public sealed class MapLayoutFileTests
{
    private const string Good = """
        {
          "name": "one", "about": "a test", "map_type": 1, "key_size": 20, "value_size": 8, "family": "ipv4",
          "key": {"source": 0, "source_port": 4, "destination": 8, "destination_port": 12, "protocol": 14, "owner": 16},
          "protocols_with_ports": [6],
          "value": {"state": {"offset": 0, "size": 8}}
        }
        """;

    [Fact]
    public void A_good_file_is_a_layout()
    {
        MapLayout layout = Read(Good);
        Assert.Equal(("one", BpfMapType.hash, 20, 8), (layout.Name, layout.MapType, layout.KeySize, layout.ValueSize));
        Assert.False(layout.HasInterfaceIndex || layout.HasLastSeen);
    }

    [Theory]
    [InlineData("\"owner\": 16", "\"owner\": 17", "key.owner (bytes 17 to 20) does not lie within 20 bytes")]
    [InlineData("\"source\": 0", "\"source\": -1", "key.source (bytes -1 to 2) does not lie within")]
    [InlineData("\"protocol\": 14", "\"protocol\": 13", "key.protocol (bytes 13 to 13) lies over another field")]
    [InlineData("\"owner\": 16", "\"owner\": 16, \"interface_index\": 12", "key.interface_index (bytes 12 to 15) lies over another field")]
    [InlineData("\"ipv4\"", "\"ipv6\"", "does not lie within")]
    [InlineData("\"ipv4\"", "\"ipx\"", "family 'ipx' is neither ipv4 nor ipv6")]
    [InlineData("\"key_size\": 20", "\"key_size\": 65", "key and value have 1 to 64 bytes")]
    [InlineData("\"value_size\": 8", "\"value_size\": 0", "key and value have 1 to 64 bytes")]
    [InlineData("\"value_size\": 8", "\"value_size\": 9", "byte 8 of the value belongs to no field")]
    [InlineData("\"size\": 8", "\"size\": 3", "value.state has 3 bytes")]
    [InlineData(
        "\"size\": 8}", "\"size\": 8}, \"last_seen\": {\"offset\": 4, \"size\": 4}",
        "value.last_seen (bytes 4 to 7) lies over another field")]
    [InlineData("\"name\": \"one\",", "", "'name'")]
    [InlineData("\"owner\": 16", "\"owner\": 16, \"ttl\": 19", "'ttl'")]
    [InlineData(", \"owner\": 16", "", "'owner'")]
    [InlineData("[6]", "[600]", "protocols_with_ports")]
    public void A_bad_file_is_refused_with_its_name_and_the_fault(string text, string instead, string fault)
    {
        Assert.Contains(text, Good, StringComparison.Ordinal);
        InvalidDataException refusal =
            Assert.Throws<InvalidDataException>(() => Read(Good.Replace(text, instead, StringComparison.Ordinal)));
        Assert.Contains(fault, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("one", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"name\": \"one\"", "\"name\": \"two\"")] // same type and sizes
    [InlineData("\"map_type\": 1", "\"map_type\": 9")] // same name
    public void Layouts_that_cannot_be_told_apart_are_refused(string text, string instead)
    {
        MapLayout[] two = [Read(Good), Read(Good.Replace(text, instead, StringComparison.Ordinal))];
        Assert.Throws<InvalidDataException>(() => new MapLayouts(two));
        Assert.Single(new MapLayouts(two[..1]).All);
    }

    [Fact]
    public void An_unknown_name_is_refused_with_the_known_ones()
    {
        FlowMapException refusal = Assert.Throws<FlowMapException>(() => MapLayouts.Known.Named("cilium"));
        Assert.Contains("aws-npa-ipv4-key24-value16", refusal.Message, StringComparison.Ordinal);
    }

    private static MapLayout Read(string json) => new(MapLayoutFile.Parse("one.json", Encoding.UTF8.GetBytes(json)));
}
