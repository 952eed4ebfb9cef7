using System.Text;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// The words of UCI's text, line by line: '…' as it is, "…" and bare words with \ before a character that stands for itself, parts side by
/// side are one word, quotes may go over lines, # outside of quotes begins a comment, ; ends a line.
/// (libuci file.c: parse_str and its like.)
/// </summary>
internal sealed class UciWords(string text)
{
    private readonly StringBuilder _word = new();
    private int _at;
    private int _line = 1;

    /// <summary>The words of the current line; none of an empty one.</summary>
    internal List<string> Words { get; } = [];

    /// <summary>Where the current line begins, from 1.</summary>
    internal int Line { get; private set; }

    /// <summary>What is wrong with the current line; null when nothing is.</summary>
    internal string? Problem { get; private set; }

    /// <summary>Goes on to the next line; false after the last.</summary>
    internal bool Next()
    {
        Words.Clear();
        Line = _line;
        if (_at >= text.Length)
            return false;
        while (_at < text.Length)
        {
            char c = text[_at];
            if (c == '#')
                SkipComment();
            else if (c is '\n' or ';')
                break;
            else if (char.IsWhiteSpace(c) || c == '\0')
                _at++;
            else
                ReadWord();
        }

        if (_at < text.Length)
            Step();
        return true;
    }

    private void SkipComment()
    {
        while (_at < text.Length && text[_at] != '\n')
            _at++;
    }

    private void ReadWord()
    {
        _word.Clear();
        while (_at < text.Length && text[_at] is not ('#' or ';') && !char.IsWhiteSpace(text[_at]))
        {
            char c = Step();
            if (c is '\'' or '"')
                ReadQuoted(c);
            else if (c != '\\')
                _word.Append(c);
            else
                ReadEscaped();
        }

        Words.Add(_word.ToString());
    }

    private void ReadQuoted(char quote)
    {
        while (_at < text.Length)
        {
            char c = Step();
            if (c == quote)
                return;
            if (c == '\\' && quote == '"')
                ReadEscaped();
            else
                _word.Append(c);
        }

        Problem = $"a {quote} is never closed";
    }

    private void ReadEscaped()
    {
        if (_at < text.Length && Step() is var c && c != '\n') // \ at a line's end: the next line goes on
            _word.Append(c);
    }

    private char Step()
    {
        if (text[_at] == '\n')
            _line++;
        return text[_at++];
    }
}
