using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>A condition on CTA_MARK: <c>mark &amp; Mask</c> lies between <c>First</c> and <c>Last</c>, both included.</summary>
public readonly record struct MarkRange(uint First, uint Last, uint Mask = uint.MaxValue)
{
    /// <summary>A single value.</summary>
    public static implicit operator MarkRange(MarkMatch match) => new(match.Value, match.Value, match.Mask);

    /// <summary>Whether a flow with this mark fulfils it.</summary>
    public bool Matches(uint mark) => (mark & Mask) - First <= Last - First; // what is below First wraps around

    /// <summary>Reads <c>value</c>, <c>value/mask</c>, <c>first-last</c> or <c>first-last/mask</c>, decimal or 0x-hexadecimal.</summary>
    public static bool TryParse(string? text, out MarkRange range, [NotNullWhen(false)] out string? error)
    {
        range = default;
        ReadOnlySpan<char> values = text, mask = "0xffffffff";
        if (values.IndexOf('/') is >= 0 and int slash)
        {
            mask = values[(slash + 1)..];
            values = values[..slash];
        }

        int dash = values.IndexOf('-');
        if (!FilterText.TryParseNumber(dash < 0 ? values : values[..dash], out uint first)
            || !FilterText.TryParseNumber(dash < 0 ? values : values[(dash + 1)..], out uint last)
            || !FilterText.TryParseNumber(mask, out uint bits))
        {
            error = $"'{text}' is not a mark: value, value/mask or first-last, each decimal or 0x-hexadecimal up to 32 bits";
            return false;
        }

        error = last < first ? $"'{text}' can never match: it ends before it begins"
            : ((first | last) & ~bits) != 0 ? $"'{text}' can never match: its value has bits outside its mask"
            : null;
        range = new MarkRange(first, last, bits);
        return error is null;
    }

    /// <summary>As <see cref="TryParse"/> reads it.</summary>
    public override string ToString()
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"0x{First:x}");
        if (Last != First)
            text = string.Create(CultureInfo.InvariantCulture, $"{text}-0x{Last:x}");
        return Mask == uint.MaxValue ? text : string.Create(CultureInfo.InvariantCulture, $"{text}/0x{Mask:x}");
    }
}
