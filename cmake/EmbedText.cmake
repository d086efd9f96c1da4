# cmake -DINPUT=TEXT -DOUTPUT=FILE -P EmbedText.cmake: writes a text as a string
# literal of C++, to be included.

file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "R\"embedded(${text})embedded\"\n")
