using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Tests.Text;

public sealed partial class Utf8WriterTests
{
    private delegate void Append(ref Utf8Writer writer);

    [Theory]
    [InlineData(0UL)]
    [InlineData(9UL)]
    [InlineData(10UL)]
    [InlineData(65535UL)]
    [InlineData(99_999_999UL)]
    [InlineData(4_294_967_295UL)]
    [InlineData(4_294_967_296UL)]
    [InlineData(10_000_000_000UL)]
    [InlineData(1_000_000_000_000_000_000UL)]
    [InlineData(ulong.MaxValue)]
    public void A_number_is_written_in_decimal(ulong value) =>
        Assert.Equal(value.ToString(), Write((ref Utf8Writer writer) => writer.Number(value)));

    [Fact]
    public void Numbers_of_every_length_equal_the_frameworks()
    {
        Random random = new(1);
        for (int i = 0; i < 20_000; i++)
        {
            ulong value = (ulong)random.NextInt64() >> random.Next(64);
            long signed = random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
            Assert.Equal(value.ToString(), Write((ref Utf8Writer writer) => writer.Number(value)));
            Assert.Equal(signed.ToString(), Write((ref Utf8Writer writer) => writer.Number(signed)));
            Assert.Equal(((uint)value).ToString("x"), Write((ref Utf8Writer writer) => writer.Hex((uint)value)));
            Assert.Equal(value.ToString("x16"), Write((ref Utf8Writer writer) => writer.PaddedHex(value, 16)));
        }
    }

    [Fact]
    public void The_lowest_signed_number_is_written() =>
        Assert.Equal("-9223372036854775808", Write((ref Utf8Writer writer) => writer.Number(long.MinValue)));

    [Theory]
    [InlineData(0u, 6, "000000")]
    [InlineData(42u, 6, "000042")]
    [InlineData(123_456u, 6, "123456")]
    [InlineData(7u, 3, "007")]
    public void A_fraction_keeps_its_leading_zeros(uint value, int digits, string expected) =>
        Assert.Equal(expected, Write((ref Utf8Writer writer) => writer.Padded(value, digits)));

    [Fact]
    public void Every_octet_is_written()
    {
        for (uint octet = 0; octet < 256; octet++)
        {
            uint address = octet << 24 | (255 - octet) << 16 | octet << 8 | (octet ^ 1);
            string expected = $"{octet}.{255 - octet}.{octet}.{octet ^ 1}";
            Assert.Equal(expected, Write((ref Utf8Writer writer) => writer.IPv4(address)));
        }
    }

    [Theory]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:1.2.3.4")]
    [InlineData("::ffff:0.0.0.0")]
    [InlineData("::1.2.3.4")]
    [InlineData("::0.1.0.0")]
    [InlineData("::1:0:0")]
    [InlineData("::ffff:0:102:304")]
    [InlineData("64:ff9b::102:304")]
    [InlineData("1::")]
    [InlineData("1:0:0:2::")]
    [InlineData("1:0:2:3:4:5:6:7")]
    [InlineData("1::2:0:0:3")]
    [InlineData("2001:db8:abcd:ef01:2345:6789:abcd:ef01")]
    public void An_IPv6_address_has_the_C_librarys_form(string text)
    {
        IpAddress address = IpAddress.From(IPAddress.Parse(text));
        Assert.Equal(text, Write((ref Utf8Writer writer) => writer.Address(address, FlowFamily.IPv6)));
    }

    [Fact]
    public void IPv6_addresses_equal_inet_ntop()
    {
        Random random = new(2);
        byte[] bytes = new byte[16];
        byte[] expected = new byte[46];
        for (int i = 0; i < 20_000; i++)
        {
            for (int word = 0; word < 8; word++) // zeros and all ones are what the form depends on
            {
                int value = random.Next(4) switch { 0 or 1 => 0, 2 => 0xFFFF, _ => random.Next(0x10000) >> (4 * random.Next(4)) };
                bytes[word * 2] = (byte)(value >> 8);
                bytes[(word * 2) + 1] = (byte)value;
            }

            InetNtop((int)FlowFamily.IPv6, bytes, expected, (uint)expected.Length);
            IpAddress address = IpAddress.FromIPv6(bytes);
            Assert.Equal(
                Encoding.ASCII.GetString(expected.AsSpan(0, Array.IndexOf(expected, (byte)0))),
                Write((ref Utf8Writer writer) => writer.Address(address, FlowFamily.IPv6)));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("ftp")]
    [InlineData("a\"b\\c/d")]
    [InlineData("\0\u0001\b\t\n\f\r\u001f\u007f")]
    [InlineData("\u0080\u009b\u009f\u00ad\u200e\u2028\u2029\u202e\ufeff")]
    [InlineData("größe 漢字 😀")]
    public void A_json_string_reads_back(string text) =>
        Assert.Equal(text, JsonSerializer.Deserialize<string>(Write((ref Utf8Writer writer) => writer.JsonString(text))));

    [Fact]
    public void A_json_string_moves_no_cursor_and_turns_no_writing_round() => Assert.Equal(
        "\"\\u009b2J \\u202eko\\u2028\\u007f\"", Write((ref Utf8Writer writer) => writer.JsonString("\u009b2J \u202eko\u2028\u007f")));

    [Fact]
    public void A_json_string_is_escaped_as_little_as_needed() =>
        Assert.Equal("\"\\n\\u001b\\\"ä\uFFFD\"", Write((ref Utf8Writer writer) => writer.JsonString("\n\u001b\"ä\ud800")));

    [Theory]
    [InlineData(0L, "1970-01-01T00:00:00.000000Z")]
    [InlineData(1_234_567_890_123_456_789L, "2009-02-13T23:31:30.123456Z")]
    [InlineData(1_709_164_800_000_000_999L, "2024-02-29T00:00:00.000000Z")]
    [InlineData(-1L, "1969-12-31T23:59:59.999999Z")]
    [InlineData(long.MaxValue, "2262-04-11T23:47:16.854775Z")]
    public void A_time_is_written_with_microseconds(long time, string expected) =>
        Assert.Equal(expected, Write((ref Utf8Writer writer) => new TimestampText().Write(ref writer, time)));

    /// <summary>.NET's own writer cuts off, too.</summary>
    [Theory]
    [InlineData(6, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'")]
    [InlineData(3, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'")]
    [InlineData(1, "yyyy-MM-dd'T'HH:mm:ss.f'Z'")]
    [InlineData(0, "yyyy-MM-dd'T'HH:mm:ss'Z'")]
    public void A_time_is_written_to_any_precision(int digits, string format)
    {
        foreach (long time in (long[])[0, 1_234_567_890_987_654_300, 1_709_164_799_999_999_900, -100, long.MaxValue])
        {
            DateTimeOffset expected = DateTimeOffset.UnixEpoch.AddTicks((long)Math.Floor(time / 100m));
            Assert.Equal(expected.ToString(format, CultureInfo.InvariantCulture), TimestampText.Format(time, digits));
        }
    }

    [Fact]
    public void Times_in_and_out_of_order_share_one_cache()
    {
        TimestampText timestamps = new();
        Assert.Equal("1970-01-01T00:00:01.000000Z", Write((ref Utf8Writer writer) => timestamps.Write(ref writer, 1_000_000_000)));
        Assert.Equal("1970-01-01T00:00:01.000001Z", Write((ref Utf8Writer writer) => timestamps.Write(ref writer, 1_000_001_999)));
        Assert.Equal("1970-01-01T00:00:00.999999Z", Write((ref Utf8Writer writer) => timestamps.Write(ref writer, 999_999_999)));
    }

    [Fact]
    public void What_does_not_fit_empties_the_writer_for_good()
    {
        Utf8Writer writer = new(stackalloc byte[4]);
        writer.Literal("abc"u8);
        writer.Number(10u);
        Assert.True(writer.Overflowed);
        writer.Byte((byte)'x');
        Assert.Equal(0, writer.Written.Length);
    }

    [Fact]
    public void A_buffer_of_the_exact_length_is_enough()
    {
        Append[] appends =
        [
            (ref Utf8Writer writer) => writer.Number(ulong.MaxValue),
            (ref Utf8Writer writer) => writer.IPv4(0x01020304),
            (ref Utf8Writer writer) => writer.IPv4(0xFFFFFFFF),
            (ref Utf8Writer writer) => writer.IPv6(0, 0xFFFF_0102_0304),
            (ref Utf8Writer writer) => writer.IPv6(ulong.MaxValue, ulong.MaxValue),
            (ref Utf8Writer writer) => writer.JsonString("a\nä😀"),
            (ref Utf8Writer writer) => new TimestampText().Write(ref writer, 1),
        ];
        foreach (Append append in appends)
        {
            int length = Encoding.UTF8.GetByteCount(Write(append));
            Utf8Writer exact = new(new byte[length]);
            append(ref exact);
            Assert.False(exact.Overflowed);
            Utf8Writer tooSmall = new(new byte[length - 1]);
            append(ref tooSmall);
            Assert.True(tooSmall.Overflowed);
        }
    }

    private static string Write(Append append)
    {
        Utf8Writer writer = new(stackalloc byte[256]);
        append(ref writer);
        Assert.False(writer.Overflowed);
        return Encoding.UTF8.GetString(writer.Written);
    }

    [LibraryImport("libc", EntryPoint = "inet_ntop")]
    private static partial nint InetNtop(int family, byte[] source, [Out] byte[] destination, uint size);
}
