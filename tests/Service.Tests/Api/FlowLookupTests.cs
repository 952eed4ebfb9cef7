using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>One flow, by its id or by a packet's addresses and ports.</summary>
public sealed class FlowLookupTests
{
    [Fact]
    public async Task A_flow_is_found_by_its_id_until_it_ends()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        await api.Live.StartAsync([.. Enumerable.Range(1, 300).Select(static port => (ushort)port)]);
        await api.Live.WriteAsync(FlowEventType.New, LivePipeline.Tuple("2001:db8::1", 5, "2001:db8::2", 443));
        string id = await IdAsync(api, "src=2001:db8::1");
        Assert.Equal(5, (await api.GetAsync($"/v1/flows/{id}")).Json.GetProperty("sport").GetInt32());
        id = await IdAsync(api, "sport=299");
        Answer found = await api.GetAsync($"/v1/flows/{id.ToUpperInvariant()}");
        Assert.Equal((HttpStatusCode.OK, "application/json"), (found.Status, found.ContentType));
        Assert.Equal((299, id), (found.Json.GetProperty("sport").GetInt32(), found.Json.GetProperty("flow_id").GetString()));

        await api.Live.EndAsync(299);
        Answer gone = await api.GetAsync($"/v1/flows/{id}");
        Assert.Equal((HttpStatusCode.NotFound, "/problems/no-such-flow"), (gone.Status, gone.Problem));
        Assert.Equal(HttpStatusCode.NotFound, (await api.GetAsync($"/v1/flows/{new FlowId(1, 1)}")).Status);
    }

    [Fact]
    public async Task A_flow_that_the_kernel_has_no_more_is_not_found()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        await api.Live.StartAsync(1);
        string id = await IdAsync(api, "sport=1");
        api.Kernel = static _ => null;
        Answer gone = await api.GetAsync($"/v1/flows/{id}");
        Assert.Equal("/problems/no-such-flow", gone.Problem);
        Assert.Contains("it has just ended", gone.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("proto=tcp&src=192.168.0.2&sport=4000&dst=203.0.113.5&dport=443")] // as the client sends it
    [InlineData("proto=tcp&src=203.0.113.5&sport=443&dst=192.168.0.2&dport=4000")] // as the client receives it
    [InlineData("proto=6&src=198.51.100.1&sport=61000&dst=203.0.113.5&dport=443")] // as the server receives it
    [InlineData("proto=tcp&src=203.0.113.5&sport=443&dst=198.51.100.1&dport=61000&zone=0")] // as the server sends it
    public async Task A_translated_flow_is_found_by_a_packet_on_either_side_in_either_direction(string query)
    {
        await using LiveApi api = await LiveApi.StartAsync();
        FlowTuple original = LivePipeline.Tuple("192.168.0.2", 4000, "203.0.113.5", 443);
        FlowTuple reply = LivePipeline.Tuple("203.0.113.5", 443, "198.51.100.1", 61000);
        await api.Live.StartAsync(4000);
        await api.Live.WriteAsync(FlowEventType.New, [(original, reply)]);
        Answer found = await api.GetAsync($"/v1/flows/by-tuple?{query}");
        Assert.Equal(HttpStatusCode.OK, found.Status);
        Assert.Equal("192.168.0.2", found.Json.GetProperty("src").GetString());
    }

    [Theory]
    [InlineData("proto=icmp&src=10.0.0.1&dst=10.0.0.2&icmp_type=8&icmp_code=0&icmp_id=77")]
    [InlineData("proto=icmp&src=10.0.0.2&dst=10.0.0.1&icmp_type=0&icmp_code=0&icmp_id=77")]
    public async Task A_ping_is_found_by_question_and_answer(string query)
    {
        await using LiveApi api = await LiveApi.StartAsync();
        FlowTuple original = LivePipeline.Tuple("10.0.0.1", 77, "10.0.0.2", 8 << 8, IpProtocol.Icmp);
        FlowTuple reply = LivePipeline.Tuple("10.0.0.2", 77, "10.0.0.1", 0, IpProtocol.Icmp);
        await api.Live.WriteAsync(FlowEventType.New, [(original, reply)]);
        Assert.Equal(77, (await api.GetAsync($"/v1/flows/by-tuple?{query}")).Json.GetProperty("icmp_id").GetInt32());
    }

    [Theory]
    [InlineData("by-tuple?src=10.0.0.1&dst=10.0.0.2", "proto", "proto: is missing; give a protocol's name")]
    [InlineData("by-tuple?proto=tcp&dst=10.0.0.2", "src", "src: is missing; give an address (192.0.2.1, 2001:db8::1)")]
    [InlineData("by-tuple?proto=tcp&src=10.0.0.1&dst=2001:db8::1&sport=1&dport=2", "dst", "is not an address of the same family")]
    [InlineData("by-tuple?proto=tcp&src=10.0.0.1&dst=10.0.0.2&dport=2", "sport", "sport: is missing; give a number from 0 to 65535")]
    [InlineData("by-tuple?proto=tcp&src=10.0.0.1&dst=10.0.0.2&sport=1&sport=1&dport=2", "sport", "sport: given 2 times; give it once")]
    [InlineData("by-tuple?proto=tpc&src=10.0.0.1&dst=10.0.0.2", "proto", "proto: 'tpc' is not a protocol")]
    [InlineData("by-tuple?proto=50&src=10.0.0.1&dst=10.0.0.2&sport=1", "sport", "sport: this protocol has none; leave it out")]
    [InlineData("by-tuple?proto=icmp&src=10.0.0.1&dst=10.0.0.2&icmp_type=256", "icmp_type", "'256' is not a number from 0 to 255")]
    [InlineData("by-tuple?proto=tcp&src=10.0.0.1&dst=10.0.0.2&sport=1&dport=2&zone=x", "zone", "zone: 'x' is not a zone")]
    [InlineData("by-tuple?mark=1", "mark", "mark: no such parameter; there are proto, src, dst")]
    [InlineData("12", "id", "id: '12' is not a flow_id")]
    [InlineData("00000000-0000-4000-8000-000000000001", "id", "is not a flow_id")]
    [InlineData("01a1fbe0-a5c8-8c5d-8000-000000000004?format=json", "format", "format: no such parameter")]
    public async Task What_is_wrong_is_named(string path, string parameter, string detail)
    {
        await using LiveApi api = await LiveApi.StartAsync();
        Answer answer = await api.GetAsync($"/v1/flows/{path}");
        Assert.Equal((HttpStatusCode.BadRequest, "/problems/bad-parameter"), (answer.Status, answer.Problem));
        Assert.Equal(parameter, answer.Json.GetProperty("parameter").GetString());
        Assert.Contains(detail, answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_are_read_as_they_are_written()
    {
        FlowId id = new(0x01a1_fbe0_a5c8_c5d, 0x3FFF_1234_5678_9ABC);
        Assert.True(FlowId.TryParse(id.ToString(), out FlowId read));
        Assert.Equal(id, read);
        Assert.False(FlowId.TryParse("01a1fbe0a5c88c5d8000000000000004", out _));
        Assert.False(FlowId.TryParse("01a1fbe0-a5c8-8c5d-c000-000000000004", out _));
    }

    private static async Task<string> IdAsync(LiveApi api, string filter) =>
        (await api.GetAsync($"/v1/flows?{filter}")).Json.GetProperty("flows")[0].GetProperty("flow_id").GetString()!;
}
