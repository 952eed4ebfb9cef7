using System.CommandLine;
using System.Globalization;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Cli;

/// <summary>Options with one value and a default; what is wrong with a value is said as "NAME: 'TEXT' is not ALLOWED".</summary>
internal static class ValueOption
{
    /// <summary>Reads a value from its text.</summary>
    internal delegate bool TryParse<T>(string text, out T value);

    /// <param name="name">With its dashes, and aliases behind it.</param>
    /// <param name="valueName">In the help.</param>
    /// <param name="byDefault">Without the option.</param>
    /// <param name="parse">False: the value is refused.</param>
    /// <param name="allowed">Completes the message.</param>
    internal static Option<T> Of<T>(
        string[] name, string description, string valueName, T byDefault, TryParse<T> parse, string allowed) => new(name[0], name[1..])
        {
            Description = description,
            HelpName = valueName,
            DefaultValueFactory = _ => byDefault,
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (!parse(text, out T value))
                    result.AddError($"{name[0]}: '{text}' is not {allowed}");
                return value;
            },
        };

    /// <summary>A duration from one bound to another.</summary>
    internal static TryParse<TimeSpan> Duration(TimeSpan shortest, TimeSpan longest) => (text, out value) =>
        DurationText.TryParse(text, out value) && value >= shortest && value <= longest;

    /// <summary>A number from one bound to another.</summary>
    internal static TryParse<int> Number(int least, int most = int.MaxValue) => (text, out value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most;
}
