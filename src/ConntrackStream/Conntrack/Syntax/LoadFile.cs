using System.Text;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>A file of command lines, as <c>-R</c> reads it: one a line, without the program's name, quoted as in iptables-save.</summary>
internal static class LoadFile
{
    private const int LongestLine = 10239; // bytes; what is longer is taken for several lines
    private const int MostWords = 254;
    private const int LongestWord = 1023;

    /// <summary>The lines that are command lines, with their numbers from 1.</summary>
    internal static IEnumerable<(int Number, string Text)> Lines(Stream stream)
    {
        byte[] line = new byte[LongestLine];
        int length = 0, number = 1;
        using BufferedStream buffered = new(stream);
        while (true)
        {
            int next = buffered.ReadByte();
            if (next >= 0)
                line[length++] = (byte)next;
            if (length > 0 && (next < 0 || next == '\n' || length == LongestLine))
            {
                string text = Encoding.UTF8.GetString(line, 0, length).Split('\0')[0].TrimStart(' ', '\t');
                length = 0;
                if (text is not ['\n' or '#', ..])
                    yield return (number, text);
            }

            if (next == '\n')
                number++;
            if (next < 0)
                yield break;
        }
    }

    /// <exception cref="ConntrackFault">A word is too long, or there are too many.</exception>
    internal static string[] Words(string line)
    {
        List<string> words = [];
        StringBuilder word = new();
        bool inQuotes = false, isEscaped = false;
        foreach (char character in line)
        {
            if (inQuotes && !isEscaped && character == '\\')
            {
                isEscaped = true;
            }
            else if (inQuotes && (isEscaped || character != '"'))
            {
                Add(word, character);
                isEscaped = false;
            }
            else if (!inQuotes && character == '"')
            {
                inQuotes = true;
            }
            else if (inQuotes) // the closing quote ends the word, even an empty one
            {
                inQuotes = false;
                Add(words, word);
            }
            else if (character is not (' ' or '\t' or '\n'))
            {
                Add(word, character);
            }
            else if (word.Length > 0)
            {
                Add(words, word);
            }
        }

        if (word.Length > 0)
            Add(words, word);
        return [.. words];
    }

    private static void Add(StringBuilder word, char character)
    {
        word.Append(character);
        if (word.Length > LongestWord)
            throw ConntrackFault.Usage("Parameter too long!");
    }

    private static void Add(List<string> words, StringBuilder word)
    {
        if (words.Count + 1 >= MostWords)
            throw ConntrackFault.Usage("too many arguments");
        words.Add(word.ToString());
        word.Clear();
    }
}
