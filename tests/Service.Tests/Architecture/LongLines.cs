using System.Text.RegularExpressions;

namespace ConntrackStream.Service.Tests.Architecture;

/// <summary>
/// Lines of a file over <see cref="Limit"/> columns, each as <c>file:line: N columns</c>. Not those whose breaks have a meaning:
/// a Markdown table's, what is between Markdown's fences, what a raw string literal of C# is on, and any with a URL.
/// </summary>
internal static partial class LongLines
{
    internal const int Limit = 140;

    internal static IEnumerable<string> Of(string file, IEnumerable<string> lines)
    {
        Func<string, bool> isExempt = Path.GetExtension(file) switch
        {
            ".cs" => RawLiterals(),
            ".md" => TablesAndFences(),
            _ => static _ => false,
        };
        int number = 0;
        foreach (string line in lines)
        {
            number++;
            int columns = line.EnumerateRunes().Count();
            if (!isExempt(line) && columns > Limit && !Url().IsMatch(line)) // the first is asked for every line: it follows what is open
                yield return $"{file}:{number}: {columns} columns";
        }
    }

    private static Func<string, bool> RawLiterals()
    {
        int open = 0; // as many quotes end the literal that is open; 0: none is
        return line =>
        {
            bool isOn = open > 0;
            foreach (Match quotes in Quotes().Matches(line))
            {
                isOn = true;
                if (open == 0)
                    open = quotes.Length;
                else if (quotes.Length >= open)
                    open = 0;
            }

            return isOn;
        };
    }

    private static Func<string, bool> TablesAndFences()
    {
        bool isFenced = false;
        return line =>
        {
            string text = line.TrimStart();
            bool isFence = text.StartsWith("```", StringComparison.Ordinal);
            isFenced ^= isFence;
            return isFence || isFenced || text.StartsWith('|');
        };
    }

    [GeneratedRegex("\"{3,}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Quotes();

    [GeneratedRegex("https?://", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Url();
}
