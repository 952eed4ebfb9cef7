using System.Buffers;
using System.Net;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

/// <summary>Reads addresses: the dotted quad with four decimal octets, and every form of RFC 4291 without a zone identifier.</summary>
internal static class AddressText
{
    private static readonly SearchValues<byte> IPv6Characters = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    internal static bool TryParse(ReadOnlySpan<byte> text, FlowFamily family, out IpAddress address)
    {
        address = default;
        if (family == FlowFamily.IPv4)
            return TryParseIPv4(text, out address);
        if (text.ContainsAnyExcept(IPv6Characters)
            || !IPAddress.TryParse(text, out IPAddress? parsed)
            || parsed.GetAddressBytes().Length != 16)
            return false;
        address = IpAddress.From(parsed);
        return true;
    }

    private static bool TryParseIPv4(ReadOnlySpan<byte> text, out IpAddress address)
    {
        address = default;
        ulong value = 0;
        for (int octet = 0; octet < 4; octet++)
        {
            int end = octet < 3 ? text.IndexOf((byte)'.') : text.Length;
            if (end < 0 || end > 3 || !NumberText.TryParse(text[..end], byte.MaxValue, out ulong number))
                return false;
            value = value << 8 | number;
            text = text[Math.Min(end + 1, text.Length)..];
        }

        address = new IpAddress(0, value);
        return true;
    }
}
