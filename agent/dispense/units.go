package dispense

import (
	"strings"
	"unicode/utf8"
)

// What can stand in the columns of units and reasons where the mapping does not list
// it: words, in lower case, of which a unit or a reason is made. They are dosage
// forms, packs and measures in the languages of the systems that write exports, with
// the short forms that these use (the standard terms of the EDQM, and the IFA's).
var (
	unitWords = wordSet(`
		each piece pieces pcs pack packs pckg pckgs pkg pkgs package packages packet packets packing box boxes bottle bottles
		bott btl btls vial vials ampoule ampoules ampule ampules ampul ampuls amps tablet tablets tabs tabl tablette tablettes
		capsule capsules caps capl caplet caplets suppository suppositories supp supps sachet sachets sach tube tubes inhaler
		inhalers patch patches syringe syringes syrg syrn pen pens cartridge cartridges cart carts dose doses drop drops gtts
		gram grams gramme grammes milligram milligrams microgram micrograms kilogram kilograms litre litres liter liters
		millilitre millilitres milliliter milliliters centimetre centimeter metre metres meter meters unit units kit kits
		blister blisters strip strips stripe stripes dozen ounce ounces pint pints gallon gallons fluid spray sprays roll rolls
		carton cartons case cases pair pairs sheet sheets bag bags jar jars can cans canister canisters tin tins bar bars
		lozenge lozenges loz pastille pastilles pessary pessaries ointment oint cream creams gel gels lotion lotions powder
		powders powd granule granules gran solution solutions soln susp suspension suspensions syrup syrups syr elixir elixirs
		emulsion foam shampoo soap paste pastes plaster plasters bandage bandages dressing dressings swab swabs wipe wipes
		needle needles lancet lancets test tests film films ring rings implant implants insert inserts enema enemas nebule
		nebules respule respules pump pumps dispenser applicator applicators device devices container containers pouch pouches
		prefilled filled multi single coated chewable effervescent dispersible soluble orodispersible sublingual modified
		prolonged extended release delayed sustained hard soft oral nasal rectal vaginal ophthalmic otic topical eye ear nose
		mouth inhalation injection injections inject infusion infusions injectable transdermal concentrate size small large
		medium full empty refill of per and for with the
		stück stücke stueck stuecke stck packung packungen pckung pack päckchen tablette tabletten tbl tbls kapsel kapseln kaps
		kps ampulle ampullen ampulln flasche flaschen flschn tuben zäpfchen zaepfchen zäpf supp suppositorien beutel btl dosis
		dosen dose pflaster pfl spritze spritzen fertigspritze fertigspritzen fertigpen fertigpens karton kartons schachtel
		schachteln gramm milligramm mikrogramm kilogramm mililiter dragee dragees drg drag filmtabl filmtbl tropfen trpf tropf
		sirup saft säfte salbe salben salb creme cremes crème kreme lösung lösungen loesung loesungen lsg inj inf injekt granulat
		gran pulver plv puder tee tees balsam öl oel tinktur emulsion schaum suspension dosieraerosol aerosol inhalat lutschtabl
		rolle rollen röhre röhrchen glas gläser dose eimer kanister kanülen kanüle nadel nadeln streifen teststreifen packungsgröße
		packungsgrösse packungsgroesse normgröße normgroesse einzeldosis einzeldosen mehrdosen durchstechflasche
		durchstechflaschen zylinderampulle zylinderampullen patrone patronen binde binden kompresse kompressen tupfer paar bogen
		blatt satz stift stifte kaugummi kaugummis globuli globulus retard magensaftresistent überzogen klinikpackung
		boîte boîtes boite boites comprimé comprimés comprime comprimes cpr cprs comp compr gélule gélules gelule gelules gél
		flacon flacons flac plaquette plaquettes pilulier piluliers sachet seringue seringues stylo stylos préremplie preremplie
		prérempli prerempli suppositoire suppositoires suppo suppos ovule ovules goutte gouttes gttes pommade pommades crèmes
		sirop sirops collyre collyres poudre poudres unité unités unite unites pièce pièces conditionnement dosette dosettes
		pansement pansements bande bandes rouleau compresse compresses patchs pulvérisation inhalateur granulé granulés solution
		pelliculé pelliculés pelliculée effervescent effervescents sécable sécables dispersible dispersibles gastrorésistant
		gastrorésistants orodispersible orodispersibles buvable injectable gomme gommes pastilles litre tubes lot lots
		caja cajas comprimido comprimidos comps cápsula cápsulas capsula capsulas cáps frasco frascos fco ampolla ampollas amp
		sobre sobres tubo tubos unidad unidades unid unids uds envase envases jeringa jeringas vial viales supositorio
		supositorios gota gotas jarabe pomada pomadas crema cremas polvo polvos solución solucion parche parches blíster
		blísteres tableta tabletas gragea grageas pluma plumas precargada óvulo óvulos inhalador pieza piezas paquete paquetes
		bolsa bolsas bote botes recubierto recubiertos masticable masticables efervescente efervescentes bucodispersables
		compressa compresse cpr cpss cps capsule capsula fiala fiale flacone flaconi flaconcino flaconcini scatola scatole
		confezione confezioni conf confez supposta supposte bustina bustine bust siringa siringhe gocce goccia gtt sciroppo
		pomata pomate unguento crema creme polvere polveri soluzione cerotto cerotti pezzo pezzi penna penne tubetto tubetti
		unità compr rivestite rivestita effervescenti masticabili orodispersibili gastroresistenti rigide molli iniettabile collirio garza garze ovuli
		doos dozen doosje doosjes tablet tabletten stuks stuk capsule capsules flacon flacons fles flessen flesje flesjes
		ampul ampullen zakje zakjes spuit spuiten zetpil zetpillen druppel druppels pleister pleisters zalf crème drank
		siroop poeder poeders tube tuben verpakking verpakkingen strip strips pakje pakjes potje eenheid eenheden inhalator
		filmomhulde omhulde maagsapresistente oplosbare kauwtablet kauwtabletten bruistablet bruistabletten rol pot`)
	// unitHeads are what longer words for units end in: Filmtabletten, Augensalbe.
	unitHeads = []string{"tablette", "tabletten", "tablets", "tablet", "tabl", "kapsel", "kapseln", "ampulle", "ampullen", "flasche", "flaschen",
		"spritze", "spritzen", "tropfen", "lösung", "loesung", "lsg", "salbe", "creme", "pflaster", "zäpfchen", "zaepfchen", "granulat",
		"packung", "packungen", "suspension", "dragees", "dragee", "pastillen", "beutel", "streifen", "comprimido", "comprimidos", "capsules", "spray"}
	reasonWords = wordSet(`
		broken broke break breakage breakages damaged damage defective defect expired expiry expiration expire recall recalled
		spilled spillage spilt lost loss theft stolen contaminated contamination destroyed destruction wasted waste wastage
		returned return returns refused wrong error errors correction test tests cold chain temperature storage leaking leak
		leaked opened open unused quality first partial full final complete completed refill fill fills new void voided
		cancelled canceled cancellation reversal duplicate dropped fell floor shelf transit transport delivery glass past date
		dates out customer complaint complaints wholesaler supplier manufacturer vendor fridge refrigerator freezer failure
		failed power cut stock count counting counted difference adjustment shrinkage shortage short missing found inventory
		unsaleable unsalable saleable obsolete discontinued withdrawn batch package packaging pack packs box label seal torn wet
		water fire mould mold dirty sample samples internal use own training disposal disposed discarded reconstituted
		preparation prepared compounding leftover remainder patient died discharged changed dose therapy stopped order entered
		mistake typing scan scanned price unknown other none miscellaneous misc reason see note end life product item items
		no longer usable needed during while when after before unpacking handling from at is was too old with without
		abgelaufen abgelaufene abgelaufenes ablauf verfallen verfall verfallsdatum bruch gebrochen zerbrochen kaputt beschädigt
		beschaedigt beschädigung defekt defekte rückruf rückrufe rueckruf verlust verloren diebstahl gestohlen verschüttet
		verschuettet ausgelaufen undicht kühlkette kuehlkette kühlschrank kuehlschrank unterbrochen ausfall ausgefallen retoure
		retouren rücksendung rückgabe vernichtet vernichtung verworfen verwurf storno storniert korrektur fehler falsch
		falschlieferung fehlbuchung heruntergefallen runtergefallen gefallen glasbruch mhd hersteller großhandel grosshandel
		lieferant auspacken einräumen transport transportschaden wasserschaden schaden schwund inventur inventurdifferenz
		differenz bestand bestandskorrektur zählung eigenbedarf eigenverbrauch muster probe entsorgt entsorgung verdorben
		unverkäuflich charge chargenrückruf temperatur lagerung anbruch angebrochen rest reste herstellung rezeptur sonstiges
		sonstige unbekannt grund kunde kunden kundenreklamation reklamation beim bei der die das dem den des im am zu vom von
		und oder nicht mehr nach vor auf aus durch ist war
		périmé périmés périmée perime perimé cassé casse cassée abîmé abime endommagé rappel rappelé perte perdu vol volé
		renversé détruit destruction retour retourné erreur péremption rupture chaîne froid inventaire écart frigo lot
		fournisseur fabricant et ou de du des le la les en au
		caducado caducados caducidad roto rota rotura dañado devuelto devolución retirado robo perdido error derramado inventario
		diferencia merma y o del el los por
		scaduto scaduti scadenza rotto rotta rottura danneggiato reso ritirato richiamo furto perso errore inventario differenza
		catena freddo e di del della
		verlopen vervallen gebroken beschadigd teruggeroepen gestolen verloren gemorst fout inventaris verschil koelkast
		retour van het een`)
)

func isUnit(word string) bool {
	if unitWords[word] {
		return true
	}
	for _, head := range unitHeads {
		if len(word) > len(head) && strings.HasSuffix(word, head) {
			return true
		}
	}
	return false
}

func isReason(word string) bool { return reasonWords[word] }

// known tells whether a text is one of those that are listed, or is made of plain
// words where none are.
func known(text []byte, listed map[string]bool, plain func(word string) bool) bool {
	lower := strings.ToLower(string(text))
	if listed != nil {
		return listed[lower]
	}
	if !words(text) {
		return true
	}
	for _, w := range lettersOf(lower) {
		if utf8.RuneCountInString(w) > 2 && !plain(w) {
			return false
		}
	}
	return true
}
