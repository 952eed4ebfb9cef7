using System.Text;

namespace ConntrackStream.Service.Shell;

/// <summary>The few macros of man(7) that a page needs. Texts are escaped here.</summary>
internal sealed class Roff
{
    private readonly StringBuilder _text = new();

    public override string ToString() => _text.ToString();

    /// <summary>The page's first line.</summary>
    /// <param name="source">Such as the program and its version.</param>
    internal void Title(string name, int section, string source, string manual) =>
        Line($".TH {Quoted(name.ToUpperInvariant())} {section} \"\" {Quoted(source)} {Quoted(manual)}");

    internal void Section(string title) => Line($".SH {Quoted(title)}");

    internal void Subsection(string title) => Line($".SS {Quoted(title)}");

    internal void Paragraph(string text)
    {
        Line(".PP");
        Text(text);
    }

    internal void Text(string text) => Line(Escaped(text));

    /// <summary>A bold term, and what it means, indented.</summary>
    /// <param name="value">In italics behind the term; null for none.</param>
    internal void Term(string term, string? value, string meaning)
    {
        Line(".TP");
        Line(value is null ? $"\\fB{Escaped(term)}\\fR" : $"\\fB{Escaped(term)}\\fR \\fI{Escaped(value)}\\fR");
        Text(meaning);
    }

    /// <summary>Lines as they are.</summary>
    internal void Verbatim(string lines)
    {
        Line(".PP");
        Line(".nf");
        foreach (string line in lines.TrimEnd('\n').Split('\n'))
            Line(Escaped(line));
        Line(".fi");
    }

    private static string Quoted(string text) => $"\"{Escaped(text).Replace("\"", "\\(dq", StringComparison.Ordinal)}\"";

    private static string Escaped(string text)
    {
        string escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal)
            .Replace("'", "\\(aq", StringComparison.Ordinal);
        return escaped.StartsWith('.') ? $"\\&{escaped}" : escaped;
    }

    private void Line(string line) => _text.Append(line).Append('\n');
}
