using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Tests.Reclassify.External;

public sealed class AnswerParserTests
{
    private readonly AnswerParser _parser = new(["wan", "lte"], TimeSpan.FromSeconds(30));

    [Theory]
    [InlineData("", LineFault.NotJson)]
    [InlineData("null", LineFault.NotJson)]
    [InlineData("[]", LineFault.NotJson)]
    [InlineData("{\"v\":1,\"id\":1", LineFault.NotJson)]
    [InlineData("{\"v\":1,\"id\":1}{}", LineFault.NotJson)]
    [InlineData("{\"v\":1,\"id\":1,\"reason\":\"\\ud800\"}", LineFault.NotJson)]
    [InlineData("{\"v\":1,\"id\":1,\"x\":[[[[[[[[[[1]]]]]]]]]]}", LineFault.NotJson)]
    [InlineData("{\"id\":1}", LineFault.Version)]
    [InlineData("{\"v\":\"1\",\"id\":1}", LineFault.Version)]
    [InlineData("{\"v\":1}", LineFault.NotUnderstood)]
    [InlineData("{\"v\":1,\"id\":\"1\"}", LineFault.NotUnderstood)]
    [InlineData("{\"v\":1,\"id\":1.5}", LineFault.NotUnderstood)]
    [InlineData("{\"v\":1,\"id\":1,\"path\":7}", LineFault.NotUnderstood)]
    [InlineData("{\"v\":1,\"id\":1,\"keep\":\"yes\"}", LineFault.NotUnderstood)]
    [InlineData("{\"v\":1,\"id\":1,\"keep\":true,\"path\":\"wan\"}", LineFault.NotUnderstood)]
    [InlineData("{\"v\":1,\"id\":1,\"reconsider\":\"10.0.0.1\"}", LineFault.NotUnderstood)]
    [InlineData("{\"v\":1,\"id\":1,\"path\":\"WAN\"}", LineFault.UnknownPath)]
    [InlineData("{\"v\":1,\"id\":1,\"ttl_ms\":0}", LineFault.Ttl)]
    [InlineData("{\"v\":1,\"id\":1,\"ttl_ms\":1e99}", LineFault.Ttl)]
    [InlineData("{\"v\":1,\"reconsider\":\"10.0.0\"}", LineFault.Address)]
    [InlineData("{\"v\":1,\"reconsider\":\"10.0.0.0/33\"}", LineFault.Address)]
    [InlineData("{\"v\":1,\"id\":1,\"path\":null,\"ttl_ms\":null,\"keep\":null,\"reason\":null}", LineFault.None)]
    public void Faults_are_named(string line, LineFault fault) => Assert.Equal(fault, _parser.Parse(Encoding.UTF8.GetBytes(line), out _));

    [Fact]
    public void Bytes_that_are_no_UTF8_are_refused() =>
        Assert.Equal(LineFault.NotJson, _parser.Parse([.. "{\"v\":1,\"id\":1,\"reason\":\""u8, 0xFF, .. "\"}"u8], out _));

    [Theory]
    [InlineData("\"path\":\"lte\"", 30_000)]
    [InlineData("\"keep\":true", 30_000)]
    [InlineData("\"keep\":true,\"ttl_ms\":5", 5)]
    [InlineData("\"ttl_ms\":5", 5)]
    [InlineData("\"reason\":\"not yet\"", null)] // DPI may know at the next look
    public void An_answer_stands_as_long_as_it_says_or_may(string fields, int? milliseconds)
    {
        Assert.Equal(LineFault.None, _parser.Parse(Encoding.UTF8.GetBytes($"{{\"v\":1,\"id\":1,{fields}}}"), out AnswerLine line));
        Assert.Equal(milliseconds, (int?)line.Verdict.ValidFor?.TotalMilliseconds);
    }

    [Fact]
    public void A_reason_is_printable_short_and_one_object()
    {
        string line =
            $"{{\"v\":1,\"id\":1,\"path\":\"lte\",\"reason\":\"a\\u0000\\u001b[31m\\u202e\\n{new string('x', 100)}\",\"ttl_ms\":99999999}}";
        Assert.Equal(LineFault.None, _parser.Parse(Encoding.UTF8.GetBytes(line), out AnswerLine first));
        Assert.Equal(Verdict.To("lte", $"a[31m{new string('x', 59)}", TimeSpan.FromHours(1)) with { Origin = "external" }, first.Verdict);
        _parser.Parse(Encoding.UTF8.GetBytes(line), out AnswerLine second);
        Assert.Same(first.Verdict.Reason, second.Verdict.Reason);
    }

    [Theory]
    [InlineData("10.1.2.3", FlowFamily.IPv4, 0, 0x0A010203, 0, 0x0A010203)]
    [InlineData("10.1.2.3/8", FlowFamily.IPv4, 0, 0x0A000000, 0, 0x0AFFFFFF)]
    [InlineData("0.0.0.0/0", FlowFamily.IPv4, 0, 0, 0, 0xFFFFFFFF)]
    [InlineData("::/0", FlowFamily.IPv6, 0, 0, ulong.MaxValue, ulong.MaxValue)]
    [InlineData("2001:db8::/64", FlowFamily.IPv6, 0x20010DB800000000, 0, 0x20010DB800000000, ulong.MaxValue)]
    [InlineData("2001:db8::/60", FlowFamily.IPv6, 0x20010DB800000000, 0, 0x20010DB80000000F, ulong.MaxValue)]
    [InlineData("2001:db8::/120", FlowFamily.IPv6, 0x20010DB800000000, 0, 0x20010DB800000000, 255)]
    public void A_range_is_what_the_prefix_spans(
        string text, FlowFamily family, ulong firstHigh, ulong firstLow, ulong lastHigh, ulong lastLow)
    {
        Assert.Equal(LineFault.None, _parser.Parse(Encoding.UTF8.GetBytes($"{{\"v\":1,\"reconsider\":\"{text}\"}}"), out AnswerLine line));
        Assert.Equal(new AddressRange(family, new IpAddress(firstHigh, firstLow), new IpAddress(lastHigh, lastLow)), line.Reconsider);
    }
}
