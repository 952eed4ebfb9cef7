using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ConntrackStream.Sinks.Text;

/// <summary>Reads a label of a filter: a name of connlabel.conf, as conntrack has it, or the number of its bit.</summary>
internal static class LabelText
{
    private const int Bits = 128; // NF_CT_LABELS_MAX_SIZE * 8

    internal static bool TryParse(string? text, out UInt128 label, [NotNullWhen(false)] out string? error)
    {
        ConntrackLabels? names = null;
        string missing = "";
        try
        {
            names = ConntrackLabels.LoadIfThere();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            missing = $" ({e.Message})";
        }

        error = null;
        label = default;
        if (((names is not null && names.TryGetBit(text ?? "", out int bit))
            || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out bit)) && bit < Bits)
        {
            label = UInt128.One << bit;
            return true;
        }

        error = $"'{text}' is neither a label of {ConntrackLabels.DefaultPath}{missing} nor a bit from 0 to {Bits - 1}";
        return false;
    }
}
