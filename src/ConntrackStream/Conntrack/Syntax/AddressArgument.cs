using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>An address of a command line, and the prefix length behind it.</summary>
/// <param name="Length">Null without one.</param>
internal readonly record struct AddressArgument(IpAddress Address, FlowFamily Family, int? Length)
{
    private const int LongestText = 45; // INET6_ADDRSTRLEN without its end; conntrack cuts off what is behind

    /// <summary>The mask that the prefix length stands for.</summary>
    internal IpAddress Mask => Family == FlowFamily.IPv4
        ? new IpAddress(0, HighBits(Length ?? 32) >> 32)
        : new IpAddress(HighBits(Math.Min(Length ?? 128, 64)), HighBits(Math.Max((Length ?? 128) - 64, 0)));

    /// <summary>The length names a single address.</summary>
    internal bool IsWhole => Length == (Family == FlowFamily.IPv4 ? 32 : 128);

    /// <param name="isLengthValid">False: what follows the slash is no prefix length.</param>
    /// <returns>False: there is no address.</returns>
    internal static bool TryParse(string text, out AddressArgument argument, out bool isLengthValid)
    {
        string whole = text.Length > LongestText ? text[..LongestText] : text;
        int slash = whole.IndexOf('/', StringComparison.Ordinal);
        argument = default;
        isLengthValid = true;
        if (!TryParse(slash < 0 ? whole : whole[..slash], out IpAddress address, out FlowFamily family))
            return false;
        int? length = null;
        if (slash >= 0)
        {
            string digits = whole[(slash + 1)..];
            length = (int)CNumber.ParseDecimal(digits, out string rest); // an int of C: higher bits are cut off
            isLengthValid = (rest.Length == 0 || digits.Length == 0) && length >= 0 && length <= (family == FlowFamily.IPv4 ? 32 : 128);
        }

        argument = new AddressArgument(address, family, length);
        return true;
    }

    private static bool TryParse(string text, out IpAddress address, out FlowFamily family)
    {
        family = FlowFamily.IPv4;
        if (TryParseIPv4(text, out uint number))
        {
            address = new IpAddress(0, number);
            return true;
        }

        family = FlowFamily.IPv6;
        address = default;
        if (text.AsSpan().ContainsAny('%', '[', ']') || !text.Contains(':', StringComparison.Ordinal)
            || !IPAddress.TryParse(text, out IPAddress? parsed) || parsed.AddressFamily != AddressFamily.InterNetworkV6)
            return false;
        address = IpAddress.From(parsed);
        return true;
    }

    /// <summary>
    /// inet_aton(3): one to four numbers, each decimal, octal (0…) or hexadecimal (0x…); the last fills the rest. White space ends them.
    /// </summary>
    private static bool TryParseIPv4(string text, out uint address)
    {
        address = 0;
        string[] parts = text.Split(' ', '\t', '\n', '\r', '\v', '\f')[0].Split('.');
        if (parts.Length > 4)
            return false;
        for (int i = 0; i < parts.Length; i++)
        {
            bool isLast = i == parts.Length - 1;
            if (parts[i].Length == 0 || !char.IsAsciiDigit(parts[i][0]))
                return false;
            ulong number = CNumber.ParseUnsigned(parts[i], out string rest);
            ulong largest = isLast ? uint.MaxValue >> (8 * i) : byte.MaxValue;
            if (rest.Length > 0 || number > largest)
                return false;
            address |= (uint)(isLast ? number : number << (24 - (8 * i)));
        }

        return true;
    }

    private static ulong HighBits(int count) => count == 0 ? 0 : ulong.MaxValue << (64 - count);
}
