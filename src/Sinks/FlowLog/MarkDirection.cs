using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Reads a rule of <c>FlowLog:MarkDirections</c>.</summary>
internal static class MarkDirection
{
    /// <summary>Reads <c>value[/mask]=direction</c>.</summary>
    internal static bool TryParse(string text, out KeyValuePair<MarkMatch, FlowDirection> rule, [NotNullWhen(false)] out string? error)
    {
        rule = default;
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string direction = text[(equals + 1)..];
        if (equals < 0
            || !Enum.TryParse(direction, ignoreCase: true, out FlowDirection parsed)
            || !Enum.IsDefined(parsed)
            || char.IsAsciiDigit(direction[0]))
        {
            error = $"'{text}' must end in =ingress, =egress, =internal, =forward or =unknown";
            return false;
        }

        if (!MarkMatch.TryParse(text[..equals], out MarkMatch mark, out error))
            return false;
        rule = new(mark, parsed);
        return true;
    }
}
