using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>
/// A condition on CTA_MARK: <c>mark &amp; Mask == Value</c>. A value with bits outside the mask matches
/// nothing, and is refused where it is read.
/// </summary>
public readonly record struct MarkMatch(uint Value, uint Mask = uint.MaxValue)
{
    /// <summary>Whether a flow with this mark fulfils it.</summary>
    public bool Matches(uint mark) => (mark & Mask) == Value;

    /// <summary>Reads <c>value</c> or <c>value/mask</c>, each decimal or 0x-hexadecimal.</summary>
    public static bool TryParse(string? text, out MarkMatch match, [NotNullWhen(false)] out string? error)
    {
        ReadOnlySpan<char> all = text;
        int slash = all.IndexOf('/');
        uint mask = uint.MaxValue;
        if (!FilterText.TryParseNumber(slash < 0 ? all : all[..slash], out uint value)
            || (slash >= 0 && !FilterText.TryParseNumber(all[(slash + 1)..], out mask)))
        {
            match = default;
            error = $"'{text}' is not a mark: value or value/mask, each decimal or 0x-hexadecimal up to 32 bits";
            return false;
        }

        if ((value & ~mask) != 0)
        {
            match = default;
            error = $"'{text}' can never match: its value has bits outside its mask";
            return false;
        }

        match = new MarkMatch(value, mask);
        error = null;
        return true;
    }

    /// <summary>Such as <c>0x10/0xff</c>, as <see cref="TryParse"/> reads it.</summary>
    public override string ToString() => Mask == uint.MaxValue
        ? string.Create(CultureInfo.InvariantCulture, $"0x{Value:x}")
        : string.Create(CultureInfo.InvariantCulture, $"0x{Value:x}/0x{Mask:x}");
}
